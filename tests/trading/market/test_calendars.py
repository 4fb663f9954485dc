"""When bars are due, and which of them are missing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from trading.market import calendars
from trading.market.calendars import Gap

HOUR, DAY, WEEK = timedelta(hours=1), timedelta(days=1), timedelta(weeks=1)


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def days(*texts: str) -> list[datetime]:
    return [moment(text) for text in texts]


def test_steps_start_with_the_first_that_is_not_too_early() -> None:
    due = calendars.steps(HOUR, moment("2024-01-01T00:30"), moment("2024-01-01T03:00"), None)
    assert list(due) == days("2024-01-01T01:00", "2024-01-01T02:00")


def test_steps_follow_a_bar_that_is_known() -> None:
    anchor = moment("2030-01-01T15:00")
    due = calendars.steps(DAY, moment("2024-01-01"), moment("2024-01-03"), anchor)
    assert list(due) == days("2024-01-01T15:00", "2024-01-02T15:00")


def test_weeks_begin_on_mondays() -> None:
    (due,) = calendars.steps(WEEK, moment("2024-01-02"), moment("2024-01-09"), None)
    assert due == moment("2024-01-08")


def test_the_calendar_ends_without_an_overflow() -> None:
    due = list(calendars.steps(DAY, moment("9999-12-31"), moment("9999-12-31T23:59"), None))
    assert due == days("9999-12-31")
    assert list(calendars.steps(DAY, moment("2024-01-02"), moment("2024-01-01"), None)) == []


@pytest.mark.parametrize(
    ("calendar", "start", "end", "open_days"),
    [
        # Good Friday, and the weekend after it.
        ("XNYS", "2024-03-28", "2024-04-02", ["2024-03-28", "2024-04-01"]),
        # Independence Day; the end is not part of the range.
        ("XNYS", "2024-07-03", "2024-07-05", ["2024-07-03"]),
        # 11 September 2001 and the days after.
        ("XNYS", "2001-09-10", "2001-09-18", ["2001-09-10", "2001-09-17"]),
        ("XNYS", "2024-01-02T00:01", "2024-01-04", ["2024-01-03"]),
        # Currencies trade on holidays, but not on weekends.
        ("24/5", "2024-03-29", "2024-04-02", ["2024-03-29", "2024-04-01"]),
    ],
)
def test_sessions_are_the_days_on_which_there_was_trading(
    calendar: str, start: str, end: str, open_days: list[str]
) -> None:
    assert calendars.sessions(calendar, moment(start), moment(end)) == days(*open_days)


def test_neighbours_that_are_missing_are_one_gap() -> None:
    due = days("2024-01-05", "2024-01-08", "2024-01-09", "2024-01-10", "2024-01-11")
    there = {due[2]}
    assert calendars.gaps(due, there) == [Gap(due[0], due[1], 2), Gap(due[3], due[4], 2)]
    assert calendars.gaps(due, set(due)) == []


@pytest.mark.parametrize(
    ("asset_class", "calendar", "has_days"),
    [
        ("crypto", "24/7", False),
        ("forex", "24/5", False),
        ("stock", "XNYS", True),
        ("index", "XNYS", True),
        ("bond", None, True),
    ],
)
def test_each_asset_class_has_its_calendar(
    asset_class: str, calendar: str | None, has_days: bool
) -> None:
    assert calendars.of(asset_class) == calendar
    assert calendars.has_days(asset_class) is has_days


@pytest.mark.parametrize(
    ("asset_class", "at", "closes"),
    [
        ("crypto", "2024-03-02T10:00", "2024-03-03T00:00"),
        ("crypto", "2024-03-02T00:00", "2024-03-03T00:00"),
        ("unheard of", "2024-03-02T23:59:59", "2024-03-03T00:00"),
        # New York, in winter and in summer; before the opening, and in the last minute.
        ("stock", "2024-01-17T15:00", "2024-01-17T21:00"),
        ("stock", "2024-07-17T00:00", "2024-07-17T20:00"),
        ("stock", "2024-07-17T19:59:59", "2024-07-17T20:00"),
        # At the close, on a Friday evening and on a Saturday it is the next session's.
        ("stock", "2024-07-17T20:00", "2024-07-18T20:00"),
        ("stock", "2024-07-19T22:00", "2024-07-22T20:00"),
        ("index", "2024-07-20T12:00", "2024-07-22T20:00"),
        # The eve of Independence Day is short, and the day itself has no session.
        ("stock", "2024-07-03T14:00", "2024-07-03T17:00"),
        ("stock", "2024-07-03T18:00", "2024-07-05T20:00"),
        ("forex", "2024-07-18T12:00", "2024-07-19T00:00"),
        ("forex", "2024-07-20T12:00", "2024-07-23T00:00"),
        # Past what is known of any calendar.
        ("stock", "2040-01-02T12:00", "2040-01-03T00:00"),
    ],
)
def test_a_session_closes_when_its_exchange_does(asset_class: str, at: str, closes: str) -> None:
    assert calendars.closing(asset_class, moment(at)) == moment(closes)
