"""At which price a bar fills an order, and as what."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tests.trading.examples import (
    COSTLY,
    a_bar,
    an_order,
    end_of,
    fill_of,
    only,
    terms,
)
from trading.orders.matching import match
from trading.orders.rules import RULES
from trading.orders.states import OrderStatus
from trading.orders.working import EndReason
from trading.values import OrderType, Side


@pytest.mark.parametrize(
    ("case", "side", "limit", "prices", "resting", "expected"),
    [
        ("buy through the limit", "buy", "97", "100 105 95 101", True, ("97", "maker")),
        ("buy through the limit, new", "buy", "97", "100 105 95 101", False, ("97", "maker")),
        ("buy only touched", "buy", "95", "100 105 95 101", True, None),
        ("buy not reached", "buy", "94", "100 105 95 101", True, None),
        ("buy marketable at the open", "buy", "102", "100 105 95 101", False, ("100", "taker")),
        ("buy gapped over while resting", "buy", "102", "100 105 95 101", True, ("100", "maker")),
        ("buy at the open, gone through", "buy", "100", "100 105 95 101", False, ("100", "maker")),
        ("sell through the limit", "sell", "103", "100 105 95 101", True, ("103", "maker")),
        ("sell only touched", "sell", "105", "100 105 95 101", True, None),
        ("sell not reached", "sell", "106", "100 105 95 101", True, None),
        ("sell marketable at the open", "sell", "98", "100 105 95 101", False, ("100", "taker")),
        ("sell gapped over while resting", "sell", "98", "100 105 95 101", True, ("100", "maker")),
    ],
)
def test_limit_order(
    case: str, side: str, limit: str, prices: str, resting: bool, expected: Any
) -> None:
    order = an_order(side=Side(side), limit_price=limit, is_resting=resting)
    assert fill_of(match([order], a_bar(prices), terms())) == expected, case


@pytest.mark.parametrize(("side", "limit"), [("buy", "95"), ("sell", "105")])
def test_a_touch_fills_where_the_terms_say_so(side: str, limit: str) -> None:
    order = an_order(side=Side(side), limit_price=limit)
    assert fill_of(match([order], a_bar(), terms(touch=True))) == (limit, "maker")


@pytest.mark.parametrize(
    ("side", "open_price", "expected"),
    [
        ("buy", "100", "100.05"),
        ("sell", "100", "99.95"),
        ("buy", "100.01", "100.07"),  # 100.060005, up
        ("sell", "100.01", "99.95"),  # 99.959995, down
    ],
)
def test_market_order_fills_at_the_open_slipped_against_the_trader(
    side: str, open_price: str, expected: str
) -> None:
    bar = a_bar(f"{open_price} 105 95 101")
    outcome = match([an_order(side=Side(side))], bar, terms(COSTLY))
    assert fill_of(outcome) == (expected, "taker")
    assert only(outcome).executed_at == bar.start


def test_a_limit_order_at_the_open_does_not_slip() -> None:
    outcome = match([an_order(limit_price="100.02")], a_bar(), terms(COSTLY))
    assert fill_of(outcome) == ("100", "taker")


def test_an_open_between_increments_is_rounded_against_the_trader_but_not_past_the_limit() -> None:
    bar = a_bar("100.004 105 95 101")
    assert fill_of(match([an_order(limit_price="101")], bar, terms())) == ("100.01", "taker")
    tight = an_order(limit_price="100.006")
    assert fill_of(match([tight], bar, terms())) == ("100.006", "taker")


def test_fee_follows_liquidity() -> None:
    taken = only(match([an_order()], a_bar(), terms(COSTLY)))
    assert taken.fee == Decimal("2.001")  # 20 bps of 10 at 100.05
    made = only(match([an_order(limit_price="97")], a_bar(), terms(COSTLY)))
    assert made.fee == Decimal("0.97")  # 10 bps of 10 at 97
    assert made.executed_at == a_bar().end


def test_post_only_is_canceled_where_it_would_take() -> None:
    outcome = match([an_order(limit_price="102", post_only=True)], a_bar(), terms())
    assert fill_of(outcome) is None
    assert end_of(outcome) == (EndReason.POST_ONLY_WOULD_TAKE, OrderStatus.CANCELED)


def test_post_only_fills_where_the_market_comes_to_it() -> None:
    for order in (
        an_order(limit_price="97", post_only=True),
        an_order(limit_price="102", post_only=True, is_resting=True),
    ):
        outcome = match([order], a_bar(), terms())
        assert only(outcome).liquidity == "maker"
        assert not outcome.expirations


def test_every_type_has_a_rule() -> None:
    assert set(RULES) == set(OrderType)
