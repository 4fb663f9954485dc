"""Trailing stops: the mark moves with the price and never back."""

from __future__ import annotations

import pytest

from tests.trading.examples import MORNING, a_bar, terms
from tests.trading.orders.told import bars, buy, sell, told
from trading.orders.matching import match, match_path, step
from trading.orders.working import WorkingOrder
from trading.values import TimeInForce


@pytest.mark.parametrize(
    ("case", "order", "prices", "expected"),
    [
        ("sell: the mark moves up", sell(trail="12", mark="100"), "100 105 95 101", "mark 105"),
        ("sell: and stays", sell(trail="12", mark="106"), "100 105 95 101", None),
        ("sell: level of before", sell(trail="4", mark="100"), "100 105 95 101", "96"),
        ("sell: touched", sell(trail="5", mark="100"), "100 105 95 101", "95"),
        ("sell: level of this bar", sell(trail="6", mark="100"), "100 109 95 101", "103"),
        ("sell: gapped", sell(trail="5", mark="110"), "100 105 95 101", "100"),
        ("sell: opened on it", sell(trail="10", mark="110"), "100 105 95 101", "100"),
        ("sell: the open raises it", sell(trail="5", mark="90"), "100 105 95 101", "95"),
        ("buy: the mark moves down", buy(trail="12", mark="100"), "100 105 95 101", "mark 95"),
        ("buy: from this bar's low", buy(trail="6", mark="100"), "100 105 95 101", "101"),
        ("buy: gapped", buy(trail="5", mark="90"), "100 105 95 101", "100"),
        ("buy: percentage", buy(trail_percent="10", mark="100"), "100 105 95 101", "104.5"),
        ("sell: percentage, down", sell(trail_percent="4.996", mark="100"), "100 105 95 101", "95"),
        ("sell: above the level", sell(trail="4.996", mark="105"), "105 105 100.002 101", None),
        ("more than the price", sell(trail="500", mark="100"), "100 105 95 101", "mark 105"),
    ],
)
def test_a_trailing_stop(case: str, order: WorkingOrder, prices: str, expected: str | None) -> None:
    wanted = ["1 triggered", f"1 fill 10 @ {expected} taker fee 0"]
    if expected is None:
        wanted = []
    elif "mark" in expected:
        wanted = [f"1 {expected}"]
    assert told(match([order], a_bar(prices), terms())) == wanted, case


def test_without_a_known_price_the_mark_begins_at_the_first_open() -> None:
    done = step([sell(trail="10")], a_bar("100 100 95 96"), terms())
    assert told(done.outcome) == ["1 mark 100"]
    assert [order.water_mark for order in done.orders] == [100]


def test_the_mark_is_carried_from_bar_to_bar() -> None:
    history = bars("100 104 99 103", "103 108 102 107", "107 107 101 102")
    # marks 104 and 108; 108 - 6 = 102
    assert told(match_path([sell(trail="6")], history[:2], terms())) == ["1 mark 108"]
    assert told(match_path([sell(trail="6")], history, terms())) == [
        "1 triggered",
        "1 fill 10 @ 102 taker fee 0",
    ]


def test_what_is_left_of_a_triggered_one_is_a_market_order() -> None:
    history = bars("100 101 94 96 30", "99 100 98 99")
    outcome = match_path([sell(trail="5", mark="100")], history, terms())
    # 100 → 101 → 94: 101 - 5 = 96
    assert told(outcome) == [
        "1 triggered",
        "1 fill 3 @ 96 taker fee 0",
        "1 fill 7 @ 99 taker fee 0",
    ]


def test_an_order_that_ends_has_no_mark_to_keep() -> None:
    order = sell(trail="12", time_in_force=TimeInForce.DAY, expires_at=MORNING.replace(hour=10))
    assert told(match([order], a_bar(), terms())) == ["1 expired session_ended"]


def test_a_mark_that_led_to_a_trigger_is_not_told_as_one_that_stands() -> None:
    history = bars("100 104 99 103", "103 103 96 97 30")
    # 104 - 5 = 99, and 30 × 0.1 = 3; in the first bar 99 came before 104
    outcome = match_path([sell(trail="5", mark="100")], history, terms())
    assert told(outcome) == ["1 triggered", "1 fill 3 @ 99 taker fee 0"]
