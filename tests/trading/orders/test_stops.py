"""Stops: when they trigger, at which price they fill, and what becomes of the rest."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tests.trading.examples import COSTLY, MORNING, a_bar, an_order, end_of, only, terms
from tests.trading.orders.told import bars, buy, sell, told
from trading.orders.matching import match, step
from trading.orders.outcomes import EndReason, Trigger
from trading.orders.working import InvalidOrder, WorkingOrder
from trading.values import OrderType, TimeInForce


@pytest.mark.parametrize(
    ("case", "order", "prices", "price"),
    [
        ("buy inside the bar", buy(stop="103"), "100 105 95 101", "103"),
        ("buy touched", buy(stop="105"), "100 105 95 101", "105"),
        ("buy not reached", buy(stop="105.01"), "100 105 95 101", None),
        ("buy gapped over", buy(stop="99"), "100 105 95 101", "100"),
        ("buy opened on it", buy(stop="100"), "100 105 95 101", "100"),
        ("sell inside the bar", sell(stop="97"), "100 105 95 101", "97"),
        ("sell touched", sell(stop="95"), "100 105 95 101", "95"),
        ("sell not reached", sell(stop="94.99"), "100 105 95 101", None),
        ("sell gapped over", sell(stop="101"), "100 105 95 101", "100"),
        ("sell opened on it", sell(stop="100"), "100 105 95 101", "100"),
    ],
)
def test_a_stop_fills_at_the_stop_or_at_an_open_beyond_it(
    case: str, order: WorkingOrder, prices: str, price: str | None
) -> None:
    expected = ["1 triggered", f"1 fill 10 @ {price} taker fee 0"] if price else []
    assert told(match([order], a_bar(prices), terms())) == expected, case


@pytest.mark.parametrize("name", ["stop", "trailing_stop"])
def test_the_rule_is_named_for_the_order_type(name: str) -> None:
    order = sell(stop="97") if name == "stop" else sell(trail="3", mark="100")
    inside = only(match([order], a_bar(), terms()))
    gapped = only(match([order], a_bar("96 99 95 98"), terms()))
    assert (inside.source["rule"], gapped.source["rule"]) == (f"{name}_in_bar", f"{name}_gapped")


def test_a_stop_slips_only_as_the_market_order_that_it_becomes() -> None:
    first = step([buy(stop="103")], a_bar(volume="30"), terms(COSTLY))
    assert [(e.quantity, e.price) for e in first.outcome.executions] == [(3, 103)]
    (rest,) = first.orders
    assert rest.is_triggered
    (_, later) = bars("100 105 95 101", "104 106 103 105")
    # 104 × 1.0005 = 104.052, up
    assert only(match([rest], later, terms(COSTLY))).price == Decimal("104.06")


def test_a_gap_is_known_to_the_moment_and_a_price_inside_the_bar_to_its_end() -> None:
    bar = a_bar()
    assert match([buy(stop="99")], bar, terms()).triggers == (Trigger(buy().id, bar.start),)
    inside = match([buy(stop="103")], bar, terms())
    assert inside.triggers == (Trigger(buy().id, bar.end),)
    assert only(inside).executed_at == bar.end


def test_a_stop_that_finds_no_volume_is_triggered_all_the_same() -> None:
    done = step([sell(stop="95")], a_bar(volume="0.005"), terms())
    assert told(done.outcome) == ["1 triggered"]
    assert [order.is_triggered for order in done.orders] == [True]


@pytest.mark.parametrize(
    ("time_in_force", "volume", "expected"),
    [
        (TimeInForce.IOC, "60", ["1 triggered", "1 fill 6 @ 95 taker fee 0", "ioc_remainder"]),
        (TimeInForce.FOK, "60", ["1 triggered", "fok_not_fillable"]),
        (TimeInForce.FOK, "100", ["1 triggered", "1 fill 10 @ 95 taker fee 0"]),
    ],
)
def test_an_immediate_stop_has_the_bar_of_its_trigger(
    time_in_force: TimeInForce, volume: str, expected: list[str]
) -> None:
    waiting = step([sell(stop="95", time_in_force=time_in_force)], a_bar("100 105 96 101"), terms())
    assert told(waiting.outcome) == []
    later = a_bar(volume=volume, start=a_bar().end)
    found = told(match(waiting.orders, later, terms()))
    assert [line.removeprefix("1 expired ") for line in found] == expected


def test_a_stop_is_bounded_by_its_funds() -> None:
    outcome = match([buy(stop="103", spendable="515")], a_bar(), terms())
    assert only(outcome).quantity == 5
    assert end_of(outcome) == (EndReason.FUNDS_SPENT, "canceled")


def test_a_day_stop_that_is_not_triggered_ends_with_its_session() -> None:
    order = sell(stop="90", time_in_force=TimeInForce.DAY, expires_at=MORNING.replace(hour=10))
    assert told(match([order], a_bar(), terms())) == ["1 expired session_ended"]


@pytest.mark.parametrize(
    ("order_type", "changes"),
    [
        (OrderType.STOP, {}),
        (OrderType.STOP, {"stop_price": Decimal(0)}),
        (OrderType.STOP_LIMIT, {"stop_price": Decimal(1)}),
        (OrderType.STOP_LIMIT, {"limit_price": "1"}),
        (OrderType.TRAILING_STOP, {}),
        (OrderType.TRAILING_STOP, {"trail_amount": Decimal(0)}),
        (OrderType.TRAILING_STOP, {"trail_amount": Decimal(1), "trail_percent": Decimal(1)}),
        (OrderType.TRAILING_STOP, {"trail_percent": Decimal(100)}),
        (OrderType.TRAILING_STOP, {"trail_amount": Decimal(1), "water_mark": Decimal(0)}),
        (OrderType.MARKET, {"reducible": Decimal(-1)}),
    ],
)
def test_an_order_that_lacks_what_its_type_needs_is_refused(
    order_type: OrderType, changes: dict[str, Any]
) -> None:
    with pytest.raises(InvalidOrder):
        an_order(type=order_type, **changes)
