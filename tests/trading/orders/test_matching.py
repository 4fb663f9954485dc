"""The rules of matching, case by case."""

from __future__ import annotations

import json
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from tests.trading.examples import MORNING, a_bar, an_order, terms
from trading.orders.costs import Costs
from trading.orders.matching import MODEL, MixedOrders, match
from trading.orders.rules import UnsupportedOrderType
from trading.orders.states import OrderStatus
from trading.orders.working import EndReason, Execution, InvalidOrder, Outcome
from trading.values import OrderType, Side, TimeInForce

COSTLY = Costs(maker_bps=Decimal(10), taker_bps=Decimal(20), slippage_bps=Decimal(5))


def fill_of(outcome: Outcome) -> tuple[str, str] | None:
    """Price and liquidity of the one execution, if there is one."""
    if not outcome.executions:
        return None
    (execution,) = outcome.executions
    return f"{execution.price.normalize():f}", execution.liquidity.value


def end_of(outcome: Outcome) -> tuple[EndReason, OrderStatus] | None:
    if not outcome.expirations:
        return None
    (ended,) = outcome.expirations
    return ended.reason, ended.status


def only(outcome: Outcome) -> Execution:
    (execution,) = outcome.executions
    return execution


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


@pytest.mark.parametrize(
    ("case", "changes", "volume", "filled", "ended"),
    [
        ("IOC filled", {}, "100", "10", None),
        ("IOC in part", {}, "60", "6", EndReason.IOC_REMAINDER),
        ("IOC not met", {"limit_price": "90"}, "100", None, EndReason.IOC_REMAINDER),
        ("FOK filled", {"time_in_force": TimeInForce.FOK}, "100", "10", None),
        (
            "FOK in part",
            {"time_in_force": TimeInForce.FOK},
            "60",
            None,
            EndReason.FOK_NOT_FILLABLE,
        ),
        (
            "FOK not met",
            {"time_in_force": TimeInForce.FOK, "limit_price": "90"},
            "100",
            None,
            EndReason.FOK_NOT_FILLABLE,
        ),
    ],
)
def test_immediate_orders_end_with_their_first_bar(
    case: str, changes: dict[str, Any], volume: str, filled: str | None, ended: Any
) -> None:
    order = an_order(**{"time_in_force": TimeInForce.IOC, **changes})
    outcome = match([order], a_bar(volume=volume), terms())
    quantities = [execution.quantity for execution in outcome.executions]
    assert quantities == ([] if filled is None else [Decimal(filled)]), case
    assert end_of(outcome) == (ended and (ended, OrderStatus.EXPIRED)), case


@pytest.mark.parametrize(
    ("case", "time_in_force", "expires_in", "bar_after", "filled", "ended"),
    [
        ("GTD later", TimeInForce.GTD, 3, 0, False, None),
        ("GTD with this bar", TimeInForce.GTD, 1, 0, False, EndReason.EXPIRES_AT_REACHED),
        ("GTD before this bar", TimeInForce.GTD, 1, 1, False, EndReason.EXPIRES_AT_REACHED),
        ("day, session goes on", TimeInForce.DAY, None, 0, False, None),
        ("day, last bar before midnight", TimeInForce.DAY, None, 14, False, "session"),
        ("day, own session end", TimeInForce.DAY, 1, 0, False, "session"),
        ("GTC keeps waiting", TimeInForce.GTC, 1, 14, False, None),
    ],
)
def test_orders_with_a_time_end_with_the_bar_that_reaches_it(
    case: str, time_in_force: Any, expires_in: int | None, bar_after: int, filled: bool, ended: Any
) -> None:
    expires_at = None if expires_in is None else MORNING + timedelta(hours=expires_in)
    order = an_order(limit_price="90", time_in_force=time_in_force, expires_at=expires_at)
    bar = a_bar(start=MORNING + timedelta(hours=bar_after))
    reason = EndReason.SESSION_ENDED if ended == "session" else ended
    outcome = match([order], bar, terms())
    assert end_of(outcome) == (reason and (reason, OrderStatus.EXPIRED)), case
    assert bool(outcome.executions) is filled


def test_an_order_out_of_time_is_not_filled_any_more() -> None:
    order = an_order(time_in_force=TimeInForce.GTD, expires_at=MORNING)
    outcome = match([order], a_bar(), terms())
    assert fill_of(outcome) is None
    assert end_of(outcome) == (EndReason.EXPIRES_AT_REACHED, OrderStatus.EXPIRED)


def test_the_caller_can_say_when_the_session_ends() -> None:
    order = an_order(limit_price="90", time_in_force=TimeInForce.DAY)
    outcome = match([order], a_bar(), terms(), session_ends_at=a_bar().end)
    assert end_of(outcome) == (EndReason.SESSION_ENDED, OrderStatus.EXPIRED)


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


@pytest.mark.parametrize("order_type", set(OrderType) - {OrderType.MARKET, OrderType.LIMIT})
def test_a_type_without_a_rule_is_refused_by_name(order_type: OrderType) -> None:
    with pytest.raises(UnsupportedOrderType) as refused:
        match([an_order(type=order_type)], a_bar(), terms())
    assert refused.value.order_type is order_type


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


def test_a_fill_can_be_explained_from_its_source() -> None:
    execution = only(match([an_order()], a_bar(volume="200"), terms(COSTLY)))
    assert execution.model == MODEL
    assert json.loads(json.dumps(execution.source)) == {
        "rule": "market_at_open",
        "parameters": {
            "maker_bps": "10",
            "taker_bps": "20",
            "slippage_bps": "5",
            "price_increment": "0.01",
            "quantity_increment": "0.001",
            "participation": "0.1",
            "touch": False,
        },
        "bar": {
            "symbol": "GOOG",
            "timeframe": "1h",
            "start": "2024-03-04T09:00:00+00:00",
            "open": "100",
            "high": "105",
            "low": "95",
            "close": "101",
            "volume": "200",
        },
    }
