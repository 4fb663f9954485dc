"""A tick is matched as the bar that is its one price, with its quantity as the volume."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from tests.trading.examples import COSTLY, MORNING, a_bar, only, terms
from tests.trading.orders.told import buy, sell, tick, told
from trading.orders.matching import TICK_MODEL, MixedOrders, match, match_path, step
from trading.orders.working import WorkingOrder
from trading.values import TimeInForce


@pytest.mark.parametrize(
    ("case", "order", "expected"),
    [
        ("market", buy(), "10 @ 100 taker"),
        ("limit above", buy(limit="101"), "10 @ 100 taker"),
        ("limit above, resting", buy(limit="101", is_resting=True), "10 @ 100 maker"),
        ("limit touched", buy(limit="100"), None),
        ("stop touched", buy(stop="100"), "10 @ 100 taker"),
        ("stop passed", buy(stop="99"), "10 @ 100 taker"),
        ("stop not reached", buy(stop="101"), None),
        ("stop-limit", sell(stop="100", limit="99"), "10 @ 100 taker"),
        ("trailing stop", sell(trail="5", mark="106"), "10 @ 100 taker"),
    ],
)
def test_an_order_meets_a_tick(case: str, order: WorkingOrder, expected: str | None) -> None:
    fills = [line for line in told(match([order], tick(7, "100"), terms())) if "fill" in line]
    assert fills == ([f"1 fill {expected} fee 0"] if expected else []), case


def test_a_fill_is_at_the_moment_of_the_tick_and_names_its_trade() -> None:
    print_ = tick(7, "100", seconds=90)
    fill = only(match([buy()], print_, terms(COSTLY)))
    assert fill.executed_at == MORNING + timedelta(seconds=90)
    assert fill.model == TICK_MODEL == "tick-2"
    assert fill.source["tick"] == print_.described()
    assert "bar" not in fill.source
    assert fill.price == Decimal("100.05")


def test_orders_share_a_tenth_of_the_tick() -> None:
    outcome = match([buy(1, remaining="4"), buy(2)], tick(7, "100", "50"), terms())
    assert [fill.quantity for fill in outcome.executions] == [4, 1]


def test_ticks_are_met_in_the_order_of_time_and_trade_id() -> None:
    ticks = [tick(3, "95", seconds=1), tick(2, "105", seconds=1), tick(9, "100")]
    outcome = match_path([sell(stop="96"), buy(2, stop="104")], ticks, terms())
    assert [(fill.order_id.int, fill.price) for fill in outcome.executions] == [(2, 105), (1, 95)]


@pytest.mark.parametrize(
    ("case", "seconds", "matched_trade", "is_met"),
    [
        ("earlier", 1, 99, True),
        ("later", -1, None, False),
        ("same moment, lower id", 0, 6, True),
        ("same moment, same id", 0, 7, False),
        ("same moment, higher id", 0, 8, False),
        ("same moment, a bar was known", 0, None, False),
    ],
)
def test_a_tick_that_was_known_or_met_before_is_passed_over(
    case: str, seconds: int, matched_trade: int | None, is_met: bool
) -> None:
    order = buy(matched_through=MORNING, matched_trade=matched_trade)
    outcome = match([order], tick(7, "100", seconds=seconds), terms())
    assert bool(outcome.executions) is is_met, case


def test_a_tick_that_was_met_is_remembered_by_its_trade() -> None:
    (kept,) = step([buy(limit="90")], tick(7, "100"), terms()).orders
    assert (kept.matched_through, kept.matched_trade) == (MORNING, 7)
    (kept,) = step([kept], a_bar(start=a_bar().end), terms()).orders
    assert (kept.matched_through, kept.matched_trade) == (a_bar().end, None)


def test_a_deadline_ends_an_order_at_the_tick_that_reaches_it() -> None:
    order = buy(limit="101", time_in_force=TimeInForce.GTD, expires_at=MORNING)
    assert told(match([order], tick(7, "100"), terms())) == ["1 expired expires_at_reached"]
    later = replace(order, expires_at=MORNING + timedelta(seconds=1))
    assert told(match([later], tick(7, "100"), terms())) == ["1 fill 10 @ 100 taker fee 0"]


def test_a_tick_of_another_instrument_is_refused() -> None:
    with pytest.raises(MixedOrders):
        match([buy(symbol="AAPL")], tick(7, "100"), terms())
