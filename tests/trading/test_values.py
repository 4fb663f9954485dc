"""Exact decimals: increments, float noise, plain text."""

from __future__ import annotations

from decimal import Context, Decimal, localcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading import values
from trading.values import Increments

amounts = st.decimals("0", "99999999999999999999", places=18)
increments = st.sampled_from(["0.00000001", "0.01", "0.05", "0.25", "1", "100"]).map(Decimal)


@pytest.mark.parametrize(
    ("price", "increment", "expected"),
    [
        ("100.004", "0.01", "100.00"),
        ("100.006", "0.01", "100.01"),
        ("100.005", "0.01", "100.00"),  # a tie, to the even one
        ("100.015", "0.01", "100.02"),
        ("100.13", "0.25", "100.25"),
        ("0.1000000000000000055511151231257827", "0.01", "0.1"),
    ],
)
def test_price_goes_to_the_nearest_increment(price: str, increment: str, expected: str) -> None:
    assert values.quantise_price(Decimal(price), Decimal(increment)) == Decimal(expected)


@pytest.mark.parametrize(
    ("quantity", "increment", "expected"),
    [
        ("1.239", "0.01", "1.23"),
        ("0.7999999999999999", "0.01", "0.8"),  # 0.7 + 0.1
        ("0.7999999999999999", "0.00000001", "0.8"),
        ("3.3000000000000003", "0.1", "3.3"),  # 1.1 * 3
        ("0.9999999", "1", "0"),  # a difference that someone meant
        ("123456789.123456789", "0.00000001", "123456789.12345678"),
        ("9.99", "10", "0"),
    ],
)
def test_quantity_goes_down_unless_only_float_noise_is_missing(
    quantity: str, increment: str, expected: str
) -> None:
    assert values.quantise_quantity(Decimal(quantity), Decimal(increment)) == Decimal(expected)


@given(amounts, increments)
def test_rounding_stays_within_one_increment_on_its_side(
    amount: Decimal, increment: Decimal
) -> None:
    with values.exact():
        below = values.round_down(amount, increment)
        above = values.round_up(amount, increment)
        assert amount - increment < below <= amount <= above < amount + increment
        assert below % increment == above % increment == 0


@given(amounts, increments)
def test_what_is_on_its_increment_stays_there(amount: Decimal, increment: Decimal) -> None:
    kept = values.round_down(amount, increment)
    assert values.quantise_price(kept, increment) == kept
    assert values.quantise_quantity(kept, increment) == kept


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("1E+3", "1000"),
        ("1E-18", "0.000000000000000001"),
        ("12.500", "12.5"),
        ("-0.00", "0"),
        ("-3.10", "-3.1"),
        ("0E+9", "0"),
    ],
)
def test_plain_has_neither_exponent_nor_trailing_zeros(value: str, expected: str) -> None:
    assert values.plain(Decimal(value)) == expected


@given(amounts)
def test_plain_reads_back_as_the_same_number(amount: Decimal) -> None:
    assert Decimal(values.plain(amount)) == amount


def test_arithmetic_does_not_depend_on_the_context_of_the_thread() -> None:
    with localcontext(Context(prec=3)):
        assert values.quantise_price(Decimal("12345.678"), Decimal("0.01")) == Decimal("12345.68")
        assert values.plain(Decimal("12345.678")) == "12345.678"


def test_increments_of_zero_are_refused() -> None:
    with pytest.raises(ValueError, match="positive"):
        Increments(price=Decimal(0), quantity=Decimal(1))
