"""Orders of one account share a bar, keep to their funds, and can be explained."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from tests.trading.examples import (
    COSTLY,
    MORNING,
    a_bar,
    an_order,
    end_of,
    only,
    terms,
)
from trading.orders.matching import MixedOrders, match
from trading.orders.states import OrderStatus
from trading.orders.working import EndReason, InvalidOrder
from trading.values import OrderType, TimeInForce


def test_orders_of_an_account_share_a_tenth_of_the_volume_in_the_order_they_came() -> None:
    orders = [an_order(number, remaining=Decimal(4)) for number in (3, 1, 2)]
    executions = match(orders, a_bar(volume="100"), terms()).executions
    shares = [(e.order_id.int, e.quantity, e.is_complete) for e in executions]
    assert shares == [(1, 4, True), (2, 4, True), (3, 2, False)]


def test_a_capped_share_goes_down_to_the_increment_and_the_rest_stays_open() -> None:
    outcome = match([an_order()], a_bar(volume="12.3456"), terms())
    assert only(outcome).quantity == Decimal("1.234")
    assert not outcome.expirations


def test_unknown_volume_is_no_cap() -> None:
    big = an_order(remaining=Decimal(1_000_000))
    assert only(match([big], a_bar(volume="0"), terms())).is_complete


def test_a_buy_never_costs_more_than_is_spendable() -> None:
    outcome = match([an_order(spendable=Decimal(500))], a_bar(), terms(COSTLY))
    execution = only(outcome)
    assert execution.quantity == Decimal("4.987")  # 500 / (100.05 * 1.002), down
    assert execution.quantity * execution.price + execution.fee <= 500
    assert end_of(outcome) == (EndReason.FUNDS_SPENT, OrderStatus.CANCELED)


def test_a_buy_without_anything_to_spend_is_canceled() -> None:
    outcome = match([an_order(spendable=Decimal(0))], a_bar(), terms())
    assert not outcome.executions
    assert end_of(outcome) == (EndReason.FUNDS_SPENT, OrderStatus.CANCELED)


@pytest.mark.parametrize(("hours", "is_met"), [(-1, True), (0, False), (1, False)])
def test_a_bar_that_was_known_or_met_before_is_passed_over(hours: int, is_met: bool) -> None:
    order = an_order(matched_through=MORNING + timedelta(hours=hours))
    assert bool(match([order], a_bar(), terms()).executions) is is_met


@pytest.mark.parametrize(
    "stranger", [an_order(2, account=UUID(int=2000)), an_order(2, symbol="AAPL")]
)
def test_orders_of_two_accounts_or_instruments_are_refused(stranger: Any) -> None:
    with pytest.raises(MixedOrders):
        match([an_order(1), stranger], a_bar("100 105 95 101"), terms())


@pytest.mark.parametrize(
    "changes",
    [
        {"remaining": Decimal(0)},
        {"type": OrderType.LIMIT},
        {"limit_price": "0"},
        {"post_only": True},
        {"time_in_force": TimeInForce.GTD},
    ],
)
def test_an_order_that_lacks_something_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(InvalidOrder):
        an_order(**changes)
