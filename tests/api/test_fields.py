"""Numbers in and out: strings without an exponent, and nothing that arithmetic overflows on."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from rest_framework.exceptions import ValidationError

from config.api.fields import PlainDecimal, plain


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ("12.50", "12.5"),
        (" 1e3 ", "1000"),
        (0.1, "0.1"),
        (7, "7"),
        ("0e1000000000", "0"),
        ("1e-1000000000", "0"),
        ("99999999999999999999", "99999999999999999999"),
        ("0.0000000000000000005", "0"),
    ],
)
def test_a_number_is_read(given: Any, read: str) -> None:
    assert plain(PlainDecimal().to_internal_value(given)) == read


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ("1e1000000000", "too_large"),
        ("-1e1000000000", "too_large"),
        ("1e20", "too_large"),
        ("99999999999999999999.9999999999999999999", "too_large"),
        ("1e99999999999999999999", "invalid"),
        ("NaN", "invalid"),
        ("-Infinity", "invalid"),
        ("١٢", "invalid"),
        ("1_000", "invalid"),
        ("", "invalid"),
        (True, "invalid"),
        ([], "invalid"),
    ],
)
def test_what_cannot_be_stored_is_refused(given: Any, code: str) -> None:
    with pytest.raises(ValidationError) as refused:
        PlainDecimal().to_internal_value(given)
    assert refused.value.get_codes() == [code]


@pytest.mark.parametrize("zero", ["0", "-0", "-0.00", "0E-18", "-0E+5"])
def test_zero_is_written_in_one_way(zero: str) -> None:
    assert plain(Decimal(zero)) == "0"
