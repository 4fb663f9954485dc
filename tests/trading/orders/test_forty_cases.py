"""Forty cases worked out by hand from the rules, with the arithmetic; none is the code's answer."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

import pytest

from tests.trading.examples import COSTLY, FREE, terms
from tests.trading.orders.told import bars, buy, sell, told
from trading.orders.costs import Costs
from trading.orders.matching import match_path
from trading.orders.working import WorkingOrder
from trading.values import TimeInForce

GROUP = UUID(int=77)
ENTRY = UUID(int=1)
IOC, FOK = TimeInForce.IOC, TimeInForce.FOK


@dataclass(frozen=True)
class Case:
    """`history` are hours: open, high, low, close and, where it is known, the volume."""

    rule: str
    book: list[WorkingOrder]
    history: list[str]
    expected: list[str]
    costs: Costs = FREE  # COSTLY is maker 10, taker 20, slippage 5 basis points


CASES = [
    # Market orders, slippage, fees.
    Case(
        "01 a market buy pays the open and the slippage, rounded up",
        [buy()],
        ["100.01 105 95 101"],
        # 100.01 × 1.0005 = 100.060005, up to 100.07; 10 × 100.07 × 0.002 = 2.0014
        ["1 fill 10 @ 100.07 taker fee 2.0014"],
        COSTLY,
    ),
    Case(
        "02 a market sell gets the open less the slippage, rounded down",
        [sell()],
        ["100.01 105 95 101"],
        # 100.01 × 0.9995 = 99.959995, down to 99.95; 10 × 99.95 × 0.002 = 1.999
        ["1 fill 10 @ 99.95 taker fee 1.999"],
        COSTLY,
    ),
    Case(
        "03 a buy stops where its funds do, fee included",
        [buy(spendable="500")],
        ["100 105 95 101"],
        # one costs 100.05 × 1.002 = 100.2501; 500 / 100.2501 = 4.9875…, down to 4.987
        # 4.987 × 100.05 = 498.94935; × 0.002 = 0.9978987
        ["1 fill 4.987 @ 100.05 taker fee 0.9978987", "1 canceled funds_spent"],
        COSTLY,
    ),
    Case(
        "04 a tenth of the volume a bar: 4, 4 and 2",
        [buy()],
        ["100 105 95 101 40", "102 105 95 101 40", "104 105 95 101 40"],
        [
            # 100 × 1.0005 = 100.05; 4 × 100.05 × 0.002 = 0.8004
            "1 fill 4 @ 100.05 taker fee 0.8004",
            # 102 × 1.0005 = 102.051, up to 102.06; 4 × 102.06 × 0.002 = 0.81648
            "1 fill 4 @ 102.06 taker fee 0.81648",
            # 104 × 1.0005 = 104.052, up to 104.06; 2 × 104.06 × 0.002 = 0.41624
            "1 fill 2 @ 104.06 taker fee 0.41624",
        ],
        COSTLY,
    ),
    Case(
        "05 a fee is rounded down to eight places",
        [buy(remaining="0.001", limit="33.33")],
        ["34 35 33 34"],
        # 0.001 × 33.33 = 0.03333; × 0.0015 = 0.000049995
        ["1 fill 0.001 @ 33.33 maker fee 0.00004999"],
        Costs(maker_bps=Decimal(15)),
    ),
    # Limit orders and post-only.
    Case(
        "06 a limit buy that the low goes through makes at its limit",
        [buy(limit="97")],
        ["100 105 95 101"],
        # 95 < 97 < 100; 10 × 97 × 0.001 = 0.97
        ["1 fill 10 @ 97 maker fee 0.97"],
        COSTLY,
    ),
    Case("07 a touch is not enough", [buy(limit="95")], ["100 105 95 101"], []),  # 95 = 95
    Case(
        "08 a gap comes to the order that rests: at the open, as maker",
        [buy(limit="97", is_resting=True)],
        ["90 99 88 95"],
        # min(90, 97) = 90; 10 × 90 × 0.001 = 0.9
        ["1 fill 10 @ 90 maker fee 0.9"],
        COSTLY,
    ),
    Case(
        "09 a new limit order through the open takes there, without slippage",
        [buy(limit="102")],
        ["100 105 95 101"],
        # min(100, 102) = 100; 10 × 100 × 0.002 = 2
        ["1 fill 10 @ 100 taker fee 2"],
        COSTLY,
    ),
    Case(
        "10 an open at the limit is a touch; the high goes through it later",
        [sell(limit="103")],
        ["103 105 95 101"],
        # 105 > 103; 10 × 103 × 0.001 = 1.03
        ["1 fill 10 @ 103 maker fee 1.03"],
        COSTLY,
    ),
    Case(
        "11 post-only that would take is canceled",
        [buy(limit="102", post_only=True)],
        ["100 105 95 101"],
        ["1 canceled post_only_would_take"],  # 100 < 102
    ),
    Case(
        "12 post-only that rests is come to by the gap",
        [buy(limit="97", post_only=True, is_resting=True)],
        ["90 99 88 95"],
        ["1 fill 10 @ 90 maker fee 0"],
    ),
    # IOC and FOK.
    Case(
        "13 IOC takes what the bar has and ends",
        [buy(limit="102", time_in_force=IOC)],
        ["100 105 95 101 60"],
        ["1 fill 6 @ 100 taker fee 0", "1 expired ioc_remainder"],  # 60 × 0.1 = 6
    ),
    Case(
        "14 FOK takes nothing where it can't have all",
        [buy(limit="102", time_in_force=FOK)],
        ["100 105 95 101 60"],
        ["1 expired fok_not_fillable"],  # 6 < 10
    ),
    Case(
        "15 FOK takes all where the bar has just enough",
        [buy(limit="102", time_in_force=FOK)],
        ["100 105 95 101 100"],
        ["1 fill 10 @ 100 taker fee 0"],  # 100 × 0.1 = 10
    ),
    Case(
        "16 an IOC stop waits for its trigger, and ends with that bar",
        [buy(stop="103", time_in_force=IOC)],
        ["100 102 95 101 60", "102 104 101 103 60"],
        # 102 < 103: not yet; 104 ≥ 103: 60 × 0.1 = 6 at 103
        ["1 triggered", "1 fill 6 @ 103 taker fee 0", "1 expired ioc_remainder"],
    ),
    # Stops.
    Case(
        "17 a stop buy fills at its stop, without slippage, as taker",
        [buy(stop="103")],
        ["100 105 95 101"],
        # max(100, 103) = 103; 10 × 103 × 0.002 = 2.06
        ["1 triggered", "1 fill 10 @ 103 taker fee 2.06"],
        COSTLY,
    ),
    Case(
        "18 a stop buy gapped over fills at the open",
        [buy(stop="103")],
        ["104 106 102 105"],
        ["1 triggered", "1 fill 10 @ 104 taker fee 0"],  # max(104, 103)
    ),
    Case(
        "19 for a stop a touch is enough",
        [sell(stop="95")],
        ["100 105 95 101"],
        ["1 triggered", "1 fill 10 @ 95 taker fee 0"],  # min(100, 95)
    ),
    Case(
        "20 what a stop could not sell is a market order in the next bar",
        [sell(stop="95")],
        ["100 101 94 96 30", "96 98 95 97"],
        [
            "1 triggered",
            # 30 × 0.1 = 3; 3 × 95 × 0.002 = 0.57
            "1 fill 3 @ 95 taker fee 0.57",
            # 96 × 0.9995 = 95.952, down to 95.95; 7 × 95.95 × 0.002 = 1.3433
            "1 fill 7 @ 95.95 taker fee 1.3433",
        ],
        COSTLY,
    ),
    Case(
        "21 a stop between increments is rounded against the trader",
        [buy(1, stop="103.004"), sell(2, stop="96.006")],
        ["100 105 95 101"],
        # up to 103.01, down to 96.00
        [
            "1 triggered",
            "2 triggered",
            "1 fill 10 @ 103.01 taker fee 0",
            "2 fill 10 @ 96 taker fee 0",
        ],
    ),
    Case(
        "22 a stop may trigger and find nothing: 0.0005 is less than one step",
        [sell(stop="95")],
        ["100 101 94 96 0.005", "96 98 95 97"],
        ["1 triggered", "1 fill 10 @ 96 taker fee 0"],
    ),
    # Stop-limit orders and the path: open, nearer extreme, farther extreme, close.
    Case(
        "23 triggered within its limit, it takes at the stop",
        [buy(stop="103", limit="104")],
        ["100 105 95 101"],
        # 103 < 104; 10 × 103 × 0.002 = 2.06
        ["1 triggered", "1 fill 10 @ 103 taker fee 2.06"],
        COSTLY,
    ),
    Case(
        "24 stop and limit in one: the trigger is a touch, the way back goes through",
        [buy(stop="103", limit="103")],
        ["100 105 95 101"],
        # 5 down, 5 up, so the low first: 100 → 95 → 105 → 101; from 105 to 101 through 103
        ["1 triggered", "1 fill 10 @ 103 maker fee 1.03"],
        COSTLY,
    ),
    Case(
        "25 the high is nearer, and the low after it goes through the limit",
        [buy(stop="103", limit="102")],
        ["100 104 95 101"],
        ["1 triggered", "1 fill 10 @ 102 maker fee 0"],  # 100 → 104 → 95
    ),
    Case(
        "26 the low before the trigger does not count; the next bar fills",
        [buy(stop="103", limit="102")],
        ["100 105 97 103", "103 104 101 102"],
        # 100 → 97 → 105 → 103: after 103 nothing below 102; then 101 < 102
        ["1 triggered", "1 fill 10 @ 102 maker fee 0"],
    ),
    Case(
        "27 opened beyond the stop and within the limit, it takes at the open",
        [buy(stop="103", limit="106")],
        ["105 107 104 106"],
        ["1 triggered", "1 fill 10 @ 105 taker fee 0"],  # 103 ≤ 105 < 106
    ),
    Case(
        "28 opened beyond its limit, it waits there for the way back",
        [buy(stop="103", limit="104")],
        ["105 106 103.5 105"],
        ["1 triggered", "1 fill 10 @ 104 maker fee 0"],  # 105 > 104 > 103.5
    ),
    Case(
        "29 opened on its limit and never above: triggered, and it rests",
        [sell(stop="97", limit="96")],
        ["96 96 94 95"],
        ["1 triggered"],  # 96 ≤ 97; 96 = 96 is a touch
    ),
    # Trailing stops.
    Case(
        "30 the mark moves up, and the next bar gaps through the level",
        [sell(trail="5", mark="100")],
        ["100 103 97 102", "96 99 95 97"],
        # 100 → 97 (level 95) → 103 (level 98) → 102; then 96 ≤ 98: at the open
        ["1 triggered", "1 fill 10 @ 96 taker fee 0"],
    ),
    Case(
        "31 the mark of this bar stops it on the way down",
        [sell(trail="5", mark="100")],
        ["100 110 97 104"],
        # 100 → 97 (level 95) → 110 (level 105) → 104 ≤ 105
        ["1 triggered", "1 fill 10 @ 105 taker fee 0"],
    ),
    Case(
        "32 a percentage of the mark, rounded against the buyer",
        [buy(trail_percent="5", mark="100.01")],
        ["100.01 106 100.01 106"],
        # 100.01 × 1.05 = 105.0105, up to 105.02 ≤ 106
        ["1 triggered", "1 fill 10 @ 105.02 taker fee 0"],
    ),
    Case(
        "33 without a known price the mark begins at the first open",
        [sell(trail_percent="2")],
        ["99.99 100 97 98"],
        # the high is 0.01 away: 99.99 → 100 (level 98) → 97 ≤ 98
        ["1 triggered", "1 fill 10 @ 98 taker fee 0"],
    ),
    # Reduce-only.
    Case(
        "34 two reduce-only sells, and a position of 6",
        [sell(1, reducible="6"), sell(2, reducible="6")],
        ["100 105 95 101"],
        # min(10, 6) = 6; 6 - 6 = 0 is left for either
        [
            "1 fill 6 @ 100 taker fee 0",
            "1 canceled nothing_to_reduce",
            "2 canceled nothing_to_reduce",
        ],
    ),
    # Groups and brackets: order 1 or 2 takes the profit, the next stops the loss.
    Case(
        "35 both legs in one bar: the stop wins",
        [sell(1, limit="103", group=GROUP), sell(2, stop="96", group=GROUP)],
        ["100 105 95 101"],
        # 105 > 103 and 95 ≤ 96
        ["2 triggered", "2 fill 10 @ 96 taker fee 0", "1 canceled oco_sibling_filled"],
    ),
    Case(
        "36 what the open fills goes first",
        [sell(1, limit="103", group=GROUP, is_resting=True), sell(2, stop="96", group=GROUP)],
        ["104 106 95 96"],
        ["1 fill 10 @ 104 maker fee 0", "2 canceled oco_sibling_filled"],  # max(104, 103)
    ),
    Case(
        "37 a part of the profit shrinks the stop",
        [sell(1, limit="103", group=GROUP), sell(2, stop="96", group=GROUP)],
        ["100 104 98 103 40", "99 100 95 96"],
        # 40 × 0.1 = 4 at 103, 10 - 4 = 6 at 96, and 6 - 6 = 0 for the first
        [
            "2 triggered",
            "1 fill 4 @ 103 maker fee 0",
            "2 fill 6 @ 96 taker fee 0",
            "2 shrinks by 4",
            "1 canceled oco_sibling_filled",
        ],
    ),
    Case(
        "38 finer bars tell which leg came first",
        [sell(1, limit="103", group=GROUP), sell(2, stop="96", group=GROUP)],
        ["100 105 99 104", "104 104 95 101"],  # together 100 105 95 101, as in 35
        ["1 fill 10 @ 103 maker fee 0", "2 canceled oco_sibling_filled"],
    ),
    Case(
        "39 the legs of a bracket begin after the bar that completed the entry",
        [
            buy(1),
            sell(2, limit="104", group=GROUP, waits_for=ENTRY),
            sell(3, stop="96", group=GROUP, waits_for=ENTRY),
        ],
        ["100 105 95 101", "101 105 100 104"],
        # 105 > 104 and 95 ≤ 96 in the first bar do not count; 105 > 104 in the second does
        [
            "1 fill 10 @ 100 taker fee 0",
            "2 fill 10 @ 104 maker fee 0",
            "3 canceled oco_sibling_filled",
            "2 starts",
            "3 starts",
        ],
    ),
    Case(
        "40 an entry that ends incomplete ends its legs",
        [
            buy(1, time_in_force=IOC),
            sell(2, limit="104", group=GROUP, waits_for=ENTRY),
            sell(3, stop="96", group=GROUP, waits_for=ENTRY),
        ],
        ["100 105 95 101 40", "101 105 95 104"],
        [
            "1 fill 4 @ 100 taker fee 0",  # 40 × 0.1 = 4
            "1 expired ioc_remainder",
            "2 canceled entry_not_filled",
            "3 canceled entry_not_filled",
        ],
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.rule)
def test_the_engine_agrees_with_the_table(case: Case) -> None:
    outcome = match_path(case.book, bars(*case.history), terms(case.costs))
    assert told(outcome) == case.expected


def test_the_table_is_whole() -> None:
    assert [case.rule[:2] for case in CASES] == [f"{number:02}" for number in range(1, 41)]
