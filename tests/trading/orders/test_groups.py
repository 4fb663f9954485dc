"""Siblings of a group share one quantity, and in one bar the stop wins."""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID

import pytest

from tests.trading.examples import MORNING, a_bar, an_order, terms
from tests.trading.orders.told import bars, buy, sell, tick, told
from trading.orders.matching import match, match_path, step
from trading.orders.outcomes import EndReason, Shrink
from trading.orders.working import WorkingOrder
from trading.values import TimeInForce

GROUP = UUID(int=77)
WIDE = terms(participation=Decimal(1))


def profit(number: int = 1, limit: str = "103", **words: object) -> WorkingOrder:
    return sell(number, limit=limit, group=GROUP, **words)


def loss(number: int = 2, **words: object) -> WorkingOrder:
    level = {} if "trail" in words else {"stop": "96"}
    return sell(number, group=GROUP, **level, **words)


@pytest.mark.parametrize(
    ("case", "stop_order"),
    [
        ("stop", loss()),
        ("stop-limit", loss(limit="95.5")),
        ("trailing stop", loss(trail="4", mark="100")),
    ],
)
def test_of_two_that_the_bar_could_fill_the_stop_wins(case: str, stop_order: WorkingOrder) -> None:
    assert told(match([profit(), stop_order], a_bar(), terms())) == [
        "2 triggered",
        "2 fill 10 @ 96 taker fee 0",
        "1 canceled oco_sibling_filled",
    ], case


def test_what_the_stop_could_not_fill_is_left_to_both() -> None:
    done = step([profit(), loss()], a_bar(volume="40"), terms())
    assert told(done.outcome) == ["2 triggered", "2 fill 4 @ 96 taker fee 0", "1 shrinks by 4"]
    assert [(order.id.int, order.remaining) for order in done.orders] == [(1, 6), (2, 6)]


def test_the_limit_does_not_fill_beside_the_stop_even_where_volume_is_left_for_it() -> None:
    outcome = match([profit(terms=WIDE), loss()], a_bar(volume="40"), terms())
    assert told(outcome) == ["2 triggered", "2 fill 4 @ 96 taker fee 0", "1 shrinks by 4"]


def test_a_stop_limit_that_rests_leaves_the_bar_to_the_limit() -> None:
    # 100 → 104 → 95 → 95.5: triggered at 96, and 97 is not seen again; 104 > 103
    orders = [profit(), loss(limit="97")]
    assert told(match(orders, a_bar("100 104 95 95.5"), terms())) == [
        "1 fill 10 @ 103 maker fee 0",
        "2 canceled oco_sibling_filled",
    ]


@pytest.mark.parametrize(
    ("case", "prices", "expected"),
    [
        ("the limit", "104 106 95 96", ["1 fill 10 @ 104 taker fee 0"]),
        ("the stop", "95 106 94 96", ["2 triggered", "2 fill 10 @ 95 taker fee 0"]),
    ],
)
def test_what_the_open_fills_goes_first(case: str, prices: str, expected: list[str]) -> None:
    outcome = match([profit(), loss()], a_bar(prices), terms())
    assert told(outcome)[:-1] == expected, case
    assert told(outcome)[-1].endswith("canceled oco_sibling_filled")


def test_after_a_gap_the_stop_takes_what_the_limit_left() -> None:
    greedy = loss(terms=WIDE)
    outcome = match([profit(), greedy], a_bar("104 106 95 96", volume="40"), terms())
    assert told(outcome) == [
        "2 triggered",
        "1 fill 4 @ 104 taker fee 0",  # 40 × 0.1
        "2 fill 6 @ 96 taker fee 0",
        "2 shrinks by 4",
        "1 canceled oco_sibling_filled",
    ]


def test_siblings_of_unequal_size_end_when_their_own_quantity_is_gone() -> None:
    done = step([profit(), loss(remaining="6")], a_bar("100 101 95 96"), terms())
    assert told(done.outcome) == ["2 triggered", "2 fill 6 @ 96 taker fee 0", "1 shrinks by 6"]
    assert [order.remaining for order in done.orders] == [4]
    other = match([profit(), loss(remaining="6")], a_bar("100 104 99 100", volume="60"), terms())
    assert told(other) == ["1 fill 6 @ 103 maker fee 0", "2 canceled oco_sibling_filled"]


def test_a_fill_counts_for_a_sibling_that_does_not_meet_the_bar() -> None:
    known = loss(matched_through=MORNING)
    outcome = match([profit(), known], a_bar(volume="40"), terms())
    assert outcome.shrinks == (Shrink(UUID(int=2), Decimal(4)),)


def test_a_sibling_out_of_time_takes_nothing_from_the_other() -> None:
    late = loss(time_in_force=TimeInForce.GTD, expires_at=MORNING)
    assert told(match([profit(), late], a_bar(), terms())) == [
        "1 fill 10 @ 103 maker fee 0",
        "2 expired expires_at_reached",
    ]


def test_siblings_that_buy_draw_on_one_sum() -> None:
    # 500 buys 5 at 100, and then nothing is left for the other.
    cheap = buy(1, limit="101", spendable="500", group=GROUP)
    dear = buy(2, stop="104", spendable="500", group=GROUP)
    assert told(match([cheap, dear], a_bar(), terms())) == [
        "2 triggered",
        "1 fill 5 @ 100 taker fee 0",
        "2 shrinks by 5",
        "1 canceled funds_spent",
        "2 canceled funds_spent",
    ]


def test_a_group_stands_in_the_queue_where_its_first_order_does() -> None:
    other = sell(2, limit="99")
    orders = [profit(1), other, loss(3)]
    fills = match(orders, a_bar(volume="120"), terms()).executions
    assert [(fill.order_id.int, fill.quantity) for fill in fills] == [(3, 10), (2, 2)]


def test_a_group_named_as_one_of_the_orders_does_not_take_it_in() -> None:
    entry = an_order(1)
    legs = [sell(2, limit="103", group=entry.id), sell(3, stop="90", group=entry.id)]
    fills = match([entry, *legs], a_bar(), terms()).executions
    assert [fill.order_id.int for fill in fills] == [1, 2]


def test_finer_bars_and_ticks_tell_which_came_first() -> None:
    orders = [profit(), loss()]
    assert match(orders, a_bar(), terms()).completed == {UUID(int=2)}
    finer = bars("100 105 99 104", "104 104 95 101", timeframe="30m", minutes=30)
    assert match_path(orders, finer, terms()).completed == {UUID(int=1)}
    ticks = [tick(1, "100"), tick(2, "103.5", seconds=1), tick(3, "95", seconds=2)]
    assert match_path(orders, ticks, terms()).completed == {UUID(int=1)}


def test_the_reason_says_that_it_was_the_sibling() -> None:
    (ended,) = match([profit(), loss()], a_bar(), terms()).expirations
    assert (ended.reason, ended.status) == (EndReason.OCO_SIBLING_FILLED, "canceled")
