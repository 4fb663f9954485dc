"""Stop-limit orders: only the part of the path after the trigger counts."""

from __future__ import annotations

import pytest

from tests.trading.examples import a_bar, terms
from tests.trading.orders.told import bars, buy, sell, told
from trading.orders.matching import match, match_path, step
from trading.orders.working import WorkingOrder

# Low first: 100, 95, 105, 101. High first: 100, 104, 95, 101.
LOW_FIRST, HIGH_FIRST = "100 105 95 101", "100 104 95 101"


@pytest.mark.parametrize(
    ("case", "order", "prices", "filled"),
    [
        ("within the limit at the trigger", buy(stop="103", limit="104"), LOW_FIRST, "103 taker"),
        ("back through it", buy(stop="103", limit="102"), LOW_FIRST, "102 maker"),
        ("back to it, not through", buy(stop="103", limit="101"), LOW_FIRST, None),
        ("through it before the trigger only", buy(stop="103", limit="100"), LOW_FIRST, None),
        ("the high is nearer", buy(stop="103", limit="100"), HIGH_FIRST, "100 maker"),
        ("not triggered", buy(stop="106", limit="107"), LOW_FIRST, "-"),
        ("sold at the trigger", sell(stop="97", limit="96"), LOW_FIRST, "97 taker"),
        ("sold on the way up", sell(stop="97", limit="99"), LOW_FIRST, "99 maker"),
        ("the high before the trigger", sell(stop="97", limit="103"), HIGH_FIRST, None),
        ("gapped, within the limit", buy(stop="99", limit="101"), LOW_FIRST, "100 taker"),
        ("gapped, on the limit", buy(stop="99", limit="100"), LOW_FIRST, "100 maker"),
        ("gapped, beyond the limit", buy(stop="99", limit="97"), LOW_FIRST, "97 maker"),
        ("gapped, limit only touched", buy(stop="99", limit="95"), LOW_FIRST, None),
        ("sell gapped, within", sell(stop="101", limit="99"), LOW_FIRST, "100 taker"),
        ("sell gapped, beyond", sell(stop="101", limit="104"), LOW_FIRST, "104 maker"),
    ],
)
def test_a_stop_limit_order(case: str, order: WorkingOrder, prices: str, filled: str) -> None:
    expected = [] if filled == "-" else ["1 triggered"]
    if filled not in {"-", None}:
        expected.append(f"1 fill 10 @ {filled} fee 0")
    assert told(match([order], a_bar(prices), terms())) == expected, case


def test_at_the_trigger_equal_is_a_touch_and_fills_where_the_terms_say_so() -> None:
    order = buy(stop="103", limit="103")
    rising = a_bar("100 105 99 104")
    assert told(match([order], rising, terms())) == ["1 triggered"]
    assert told(match([order], rising, terms(touch=True)))[1:] == ["1 fill 10 @ 103 taker fee 0"]


def test_once_triggered_it_rests_and_makes_even_where_the_next_bar_gaps() -> None:
    outcome = match_path(
        [buy(stop="103", limit="101")], bars("100 105 99 104", "98 100 97 99"), terms()
    )
    assert told(outcome) == ["1 triggered", "1 fill 10 @ 98 maker fee 0"]


def test_a_part_that_was_filled_leaves_a_limit_order() -> None:
    done = step([buy(stop="103", limit="104")], a_bar(volume="40"), terms())
    assert told(done.outcome) == ["1 triggered", "1 fill 4 @ 103 taker fee 0"]
    above = a_bar("105 106 104 105", start=a_bar().end)
    assert told(match(done.orders, above, terms())) == []


def test_a_price_between_increments_is_rounded_against_the_trader_within_the_limit() -> None:
    order = buy(stop="103.004", limit="103.006")
    fill = told(match([order], a_bar(), terms()))[1]
    assert fill == "1 fill 10 @ 103.006 taker fee 0"


def test_a_gap_triggers_it_at_the_open_and_a_price_inside_the_bar_by_its_end() -> None:
    bar = a_bar()
    gapped = match([buy(stop="99", limit="97")], bar, terms())
    inside = match([buy(stop="103", limit="102")], bar, terms())
    assert [trigger.at for trigger in gapped.triggers + inside.triggers] == [bar.start, bar.end]
