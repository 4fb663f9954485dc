"""Reduce-only orders fill what the position has, and end when it has nothing."""

from __future__ import annotations

from tests.trading.examples import a_bar, terms
from tests.trading.orders.told import bars, buy, sell, told
from trading.orders.matching import match, match_path, step
from trading.values import TimeInForce


def test_it_fills_at_most_the_position_and_ends_with_it() -> None:
    assert told(match([sell(reducible="6")], a_bar(), terms())) == [
        "1 fill 6 @ 100 taker fee 0",
        "1 canceled nothing_to_reduce",
    ]


def test_a_position_that_is_large_enough_is_no_bound() -> None:
    assert told(match([sell(reducible="10")], a_bar(), terms())) == ["1 fill 10 @ 100 taker fee 0"]


def test_what_the_volume_leaves_goes_on_while_there_is_a_position() -> None:
    done = step([sell(reducible="6")], a_bar(volume="40"), terms())
    assert told(done.outcome) == ["1 fill 4 @ 100 taker fee 0"]
    assert [(order.remaining, order.reducible) for order in done.orders] == [(6, 2)]


def test_without_a_position_it_ends_even_where_the_market_does_not_reach_it() -> None:
    orders = [sell(1, reducible="0"), sell(2, stop="90", reducible="0.0009")]
    assert told(match(orders, a_bar(), terms())) == [
        "1 canceled nothing_to_reduce",
        "2 canceled nothing_to_reduce",  # 0.0009 is less than one step
    ]


def test_what_other_orders_do_to_the_position_counts() -> None:
    orders = [sell(1, remaining="4"), buy(2, remaining="1"), sell(3, reducible="10")]
    assert told(match(orders, a_bar(), terms())) == [
        "1 fill 4 @ 100 taker fee 0",
        "2 fill 1 @ 100 taker fee 0",
        "3 fill 7 @ 100 taker fee 0",  # 10 - 4 + 1
        "3 canceled nothing_to_reduce",
    ]


def test_fok_is_all_or_nothing_of_the_order_not_of_the_position() -> None:
    order = sell(reducible="6", time_in_force=TimeInForce.FOK)
    assert told(match([order], a_bar(), terms())) == ["1 expired fok_not_fillable"]


def test_a_reduce_only_leg_reduces_what_its_entry_bought() -> None:
    entry = buy(1)
    leg = sell(2, limit="103", reducible="0", waits_for=entry.id)
    outcome = match_path([entry, leg], bars("100 105 95 101", "101 105 100 104"), terms())
    assert told(outcome) == [
        "1 fill 10 @ 100 taker fee 0",
        "2 fill 10 @ 103 maker fee 0",
        "2 starts",
    ]
