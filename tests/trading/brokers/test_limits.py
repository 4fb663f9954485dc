"""What an account may lose, as a table."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from trading.brokers.limits import Breach, Limits, Marks, breach, moved, shifted

MONDAY, TUESDAY = date(2026, 3, 2), date(2026, 3, 3)
BOTH = Limits(daily_loss=Decimal(100), drawdown=Decimal(250))


def test_the_first_look_sets_all_marks() -> None:
    assert moved(Marks(), Decimal(1_000), MONDAY) == Marks(MONDAY, Decimal(1_000), Decimal(1_000))


def test_a_new_day_starts_where_equity_stands_and_keeps_the_peak() -> None:
    marks = moved(Marks(MONDAY, Decimal(1_000), Decimal(1_200)), Decimal(950), TUESDAY)
    assert marks == Marks(TUESDAY, Decimal(950), Decimal(1_200))


def test_within_a_day_only_the_peak_moves_and_never_down() -> None:
    marks = Marks(MONDAY, Decimal(1_000), Decimal(1_000))
    up = moved(marks, Decimal(1_100), MONDAY)
    assert up == Marks(MONDAY, Decimal(1_000), Decimal(1_100))
    assert moved(up, Decimal(900), MONDAY) == up


def test_a_clock_that_went_back_begins_no_day() -> None:
    marks = Marks(TUESDAY, Decimal(1_000), Decimal(1_000))
    assert moved(marks, Decimal(900), MONDAY) == marks


def test_money_put_in_or_taken_out_is_no_profit() -> None:
    marks = Marks(MONDAY, Decimal(1_000), Decimal(1_100))
    assert shifted(marks, Decimal(-400)) == Marks(MONDAY, Decimal(600), Decimal(700))
    assert shifted(Marks(), Decimal(500)) == Marks()


@pytest.mark.parametrize(
    ("equity", "reached"),
    [
        ("900.01", None),
        ("900", Breach.DAILY_LOSS),
        ("850.01", Breach.DAILY_LOSS),
        ("850", Breach.DRAWDOWN),
    ],
)
def test_the_graver_limit_is_named_first(equity: str, reached: Breach | None) -> None:
    marks = Marks(MONDAY, Decimal(1_000), Decimal(1_100))
    assert breach(BOTH, marks, Decimal(equity)) == reached


def test_no_limit_is_never_reached() -> None:
    marks = Marks(MONDAY, Decimal(1_000), Decimal(1_100))
    assert breach(Limits(), marks, Decimal(-5)) is None
    assert breach(BOTH, Marks(), Decimal(-5)) is None
