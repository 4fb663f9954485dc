"""After a commit nobody is refused any more, whatever fails then."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest
from django.db import transaction

from tenants import afterwards

ROOT = Path(__file__).resolve().parents[2]
HOUSES = ("accounts", "backups", "config", "tenants", "trading")


def test_what_fails_after_the_commit_is_logged_and_no_more(
    caplog: pytest.LogCaptureFixture,
) -> None:
    done: list[str] = []
    with transaction.atomic():
        afterwards.do(partial(int, "no number"))
        afterwards.do(partial(done.append, "next"))
        assert done == []
    assert done == ["next"]
    (record,) = [r for r in caplog.records if "on_commit" in r.getMessage()]
    assert "no number" in record.getMessage()


def test_outside_of_a_transaction_it_is_done_at_once(caplog: pytest.LogCaptureFixture) -> None:
    done: list[str] = []
    afterwards.do(partial(done.append, "now"))
    afterwards.do(partial(int, "no number"))
    assert done == ["now"]
    assert "no number" in caplog.text


def test_nobody_asks_django_for_it_past_this() -> None:
    """It raises for a `partial`, after the commit."""
    asking = [
        str(path.relative_to(ROOT))
        for house in HOUSES
        for path in (ROOT / house).rglob("*.py")
        if "robust=True" in path.read_text()
    ]
    assert asking == ["tenants/afterwards.py"]
