"""How long an order waits."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.trading.examples import (
    MORNING,
    a_bar,
    an_order,
    end_of,
    fill_of,
    terms,
)
from tests.trading.orders.told import told
from trading.orders.matching import match, match_path
from trading.orders.states import OrderStatus
from trading.orders.working import EndReason
from trading.values import TimeInForce


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


@pytest.mark.parametrize(
    ("case", "changes", "bar_after", "expected"),
    [
        ("a day order that lives on", {}, 0, ["1 until 05 00:00"]),
        ("its last bar", {}, 14, ["1 expired session_ended"]),
        ("its deadline is known", {"expires_at": MORNING + timedelta(hours=9)}, 0, []),
        ("another time in force", {"time_in_force": TimeInForce.GTC}, 0, []),
        ("a bar that it knows", {"matched_through": MORNING}, 0, []),
    ],
)
def test_the_caller_is_told_when_a_day_order_will_end(
    case: str, changes: dict[str, Any], bar_after: int, expected: list[str]
) -> None:
    order = an_order(**{"limit_price": "90", "time_in_force": TimeInForce.DAY, **changes})
    bar = a_bar(start=MORNING + timedelta(hours=bar_after))
    assert told(match([order], bar, terms())) == expected, case


def test_a_day_order_ends_with_the_session_of_its_first_bar() -> None:
    order = an_order(limit_price="90", time_in_force=TimeInForce.DAY)
    evening, night = (a_bar(start=MORNING + timedelta(hours=hours)) for hours in (13, 15))
    assert told(match_path([order], [evening, night], terms())) == ["1 expired session_ended"]


def test_an_order_that_ended_within_its_first_bar_has_no_deadline() -> None:
    order = an_order(time_in_force=TimeInForce.DAY)
    assert told(match([order], a_bar(), terms())) == ["1 fill 10 @ 100 taker fee 0"]
