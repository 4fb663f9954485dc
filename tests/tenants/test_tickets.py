"""Tickets: the same MAC in Python and in PostgreSQL, and none without the secret."""

from __future__ import annotations

import hashlib
import hmac
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenants import tickets

TENANT = UUID("0192d4e8-0000-7000-8000-000000000001")


@given(st.binary(min_size=32, max_size=200), st.binary(max_size=100))
def test_the_pads_make_the_standard_hmac(secret: bytes, text: bytes) -> None:
    inner, outer = tickets.pads(secret)
    by_pads = hashlib.sha256(outer + hashlib.sha256(inner + text).digest()).digest()
    assert by_pads == hmac.digest(secret, text, "sha256")


def test_a_short_secret_is_refused() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        tickets.pads(b"short")


def test_each_field_changes_the_ticket() -> None:
    base = {"tenant_id": TENANT, "user_id": None, "scope": "tenant", "now": 1_000.0}
    changes = [
        {"tenant_id": UUID(int=2)},
        {"user_id": TENANT},
        {"scope": "user"},
        {"now": 1_001.0},
    ]
    macs = {tickets.issue(b"k" * 32, **{**base, **change}).mac for change in [{}, *changes]}
    assert len(macs) == 5
    assert tickets.issue(b"j" * 32, **base).mac not in macs
