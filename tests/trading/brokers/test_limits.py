"""What an account may lose, as a table."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from trading.brokers.limits import Breach, Limits, Marks, breach, moved, shifted

MONDAY, TUESDAY = date(2026, 3, 2), date(2026, 3, 3)
BOTH = Limits(daily_loss=Decimal(100), drawdown=Decimal(250))


def test_the_first_look_sets_all_marks() -> None:
    first = Decimal(1_000)
    assert moved(Marks(), first, MONDAY) == Marks(MONDAY, first, first, first)


def test_a_new_day_starts_where_the_last_one_ended_and_keeps_the_peak() -> None:
    marks = Marks(MONDAY, Decimal(1_000), Decimal(1_200), Decimal(1_050))
    seen = moved(marks, Decimal(950), TUESDAY)
    assert seen == Marks(TUESDAY, Decimal(1_050), Decimal(1_200), Decimal(950))


def test_a_day_after_one_whose_end_nobody_saw_starts_where_equity_stands() -> None:
    marks = moved(Marks(MONDAY, Decimal(1_000), Decimal(1_200)), Decimal(950), TUESDAY)
    assert marks == Marks(TUESDAY, Decimal(950), Decimal(1_200), Decimal(950))


def test_within_a_day_only_the_peak_moves_and_never_down() -> None:
    marks = Marks(MONDAY, Decimal(1_000), Decimal(1_000))
    up = moved(marks, Decimal(1_100), MONDAY)
    assert up == Marks(MONDAY, Decimal(1_000), Decimal(1_100), Decimal(1_100))
    down = moved(up, Decimal(900), MONDAY)
    assert down == Marks(MONDAY, Decimal(1_000), Decimal(1_100), Decimal(900))


def test_a_clock_that_went_back_begins_no_day() -> None:
    marks = Marks(TUESDAY, Decimal(1_000), Decimal(1_000))
    seen = moved(marks, Decimal(900), MONDAY)
    assert seen == Marks(TUESDAY, Decimal(1_000), Decimal(1_000), Decimal(900))


def test_money_put_in_or_taken_out_is_no_profit() -> None:
    marks = Marks(MONDAY, Decimal(1_000), Decimal(1_100), Decimal(1_050))
    moved_along = Marks(MONDAY, Decimal(600), Decimal(700), Decimal(650))
    assert shifted(marks, Decimal(-400)) == moved_along
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
