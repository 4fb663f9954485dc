"""An order keeps the terms it was placed on, and shares the bar all the same."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.trading.examples import COSTLY, FREE, a_bar, only, terms
from tests.trading.orders.told import buy, told
from trading.orders.matching import match


def test_an_order_pays_what_it_was_placed_on() -> None:
    outcome = match([buy(terms=terms(COSTLY))], a_bar(), terms(FREE))
    # 100 × 1.0005; 10 × 100.05 × 0.002
    assert told(outcome) == ["1 fill 10 @ 100.05 taker fee 2.001"]
    assert only(outcome).source["parameters"]["taker_bps"] == "20"


@pytest.mark.parametrize(
    ("case", "first", "second", "shares"),
    [
        ("the same", "0.1", "0.1", [8, 2]),
        ("the second may have more", "0.1", "0.15", [8, 7]),
        ("the second may have less", "0.1", "0.05", [8]),
    ],
)
def test_an_account_has_had_its_share_when_its_orders_together_have(
    case: str, first: str, second: str, shares: list[int]
) -> None:
    orders = [
        buy(1, remaining="8", terms=terms(participation=Decimal(first))),
        buy(2, terms=terms(participation=Decimal(second))),
    ]
    executions = match(orders, a_bar(volume="100"), terms()).executions
    assert [fill.quantity for fill in executions] == shares, case


def test_what_was_taken_before_counts() -> None:
    outcome = match([buy()], a_bar(volume="100"), terms(), taken=Decimal(7))
    assert only(outcome).quantity == 3
    assert not match([buy()], a_bar(volume="100"), terms(), taken=Decimal(11)).executions
