"""Legs start when their entry is complete, and end with one that will never be."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from uuid import UUID

from tests.trading.examples import MORNING, a_bar, terms
from tests.trading.orders.told import bars, buy, sell, tick, told
from trading.orders import brackets
from trading.orders.matching import match, match_path, step, walk
from trading.orders.outcomes import Activation, EndReason, Expiration, Shrink
from trading.orders.states import OrderStatus
from trading.values import TimeInForce

GROUP, ENTRY = UUID(int=77), UUID(int=1)
PROFIT = sell(2, limit="104", group=GROUP, waits_for=ENTRY)
LOSS = sell(3, stop="96", group=GROUP, waits_for=ENTRY)
TRAIL = sell(3, trail="5", group=GROUP, waits_for=ENTRY)
LEGS = [PROFIT, LOSS]
CANCELED = OrderStatus.CANCELED


def test_legs_are_not_matched_before_their_entry_is_complete() -> None:
    done = step([buy(1), *LEGS], a_bar(volume="40"), terms())
    assert told(done.outcome) == ["1 fill 4 @ 100 taker fee 0"]
    assert [order.waits_for for order in done.orders] == [None, ENTRY, ENTRY]


def test_legs_start_as_orders_placed_during_the_bar_that_completed_the_entry() -> None:
    done = step([buy(1), PROFIT, TRAIL], a_bar(), terms())
    at = MORNING + timedelta(hours=1)
    assert done.outcome.activations == (
        Activation(PROFIT.id, at, Decimal(101)),
        Activation(TRAIL.id, at, Decimal(101)),
    )
    started = {"waits_for": None, "matched_through": MORNING}
    assert done.orders == (
        replace(PROFIT, **started),
        replace(TRAIL, **started, water_mark=Decimal(101)),
    )


def test_a_part_of_the_profit_shrinks_the_stop() -> None:
    history = bars("100 105 95 101", "101 105 100 104 40", "103 103 95 96")
    first, second, third = walk([buy(1), *LEGS], history, terms())
    assert told(first.outcome) == ["1 fill 10 @ 100 taker fee 0", "2 starts", "3 starts"]
    assert told(second.outcome) == ["2 fill 4 @ 104 maker fee 0", "3 shrinks by 4"]
    assert told(third.outcome) == [
        "3 triggered",
        "3 fill 6 @ 96 taker fee 0",
        "2 canceled oco_sibling_filled",
    ]
    assert third.orders == ()


def test_an_entry_that_ends_with_a_part_filled_ends_its_legs() -> None:
    done = step([buy(1, time_in_force=TimeInForce.IOC), *LEGS], a_bar(volume="40"), terms())
    assert told(done.outcome) == [
        "1 fill 4 @ 100 taker fee 0",
        "1 expired ioc_remainder",
        "2 canceled entry_not_filled",
        "3 canceled entry_not_filled",
    ]
    assert done.orders == ()


def test_the_engine_needs_not_see_waiting_legs_to_say_what_becomes_of_them() -> None:
    outcome = match([buy(1)], a_bar(), terms())
    at = a_bar().end
    assert brackets.activated(LEGS, outcome.completed, at=at, price=Decimal(101)) == (
        Activation(PROFIT.id, at, Decimal(101)),
        Activation(LOSS.id, at, Decimal(101)),
    )
    assert brackets.ended(LEGS, outcome.ended) == ()
    assert brackets.ended(LEGS, {ENTRY}) == (
        Expiration(PROFIT.id, CANCELED, EndReason.ENTRY_NOT_FILLED),
        Expiration(LOSS.id, CANCELED, EndReason.ENTRY_NOT_FILLED),
    )
    assert brackets.activated(LEGS, {UUID(int=9)}, at=at, price=Decimal(101)) == ()


def test_a_fill_from_elsewhere_shrinks_or_ends_the_siblings() -> None:
    stranger = sell(4, stop="96")
    orders = [PROFIT, LOSS, stranger]
    assert brackets.shrunk(orders, PROFIT, Decimal(4)) == ((Shrink(LOSS.id, Decimal(4)),), ())
    assert brackets.shrunk(orders, PROFIT, Decimal(10)) == (
        (),
        (Expiration(LOSS.id, CANCELED, EndReason.OCO_SIBLING_FILLED),),
    )
    assert brackets.shrunk(orders, stranger, Decimal(4)) == ((), ())


def test_a_leg_that_its_sibling_used_up_does_not_start() -> None:
    early = replace(PROFIT, waits_for=None)
    outcome = match([buy(1), early, LOSS], a_bar(), terms())
    assert told(outcome) == [
        "1 fill 10 @ 100 taker fee 0",
        "2 fill 10 @ 104 maker fee 0",
        "3 canceled oco_sibling_filled",
    ]


def test_legs_start_between_ticks_too() -> None:
    ticks = [tick(1, "100"), tick(2, "95"), tick(3, "105")]
    assert told(match_path([buy(1), *LEGS], ticks, terms())) == [
        "3 triggered",
        "1 fill 10 @ 100 taker fee 0",
        "3 fill 10 @ 95 taker fee 0",
        "2 canceled oco_sibling_filled",
        "2 starts",
        "3 starts",
    ]
