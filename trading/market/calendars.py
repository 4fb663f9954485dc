"""When bars are due: at every step for what never closes, by sessions for what does. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from itertools import groupby
from typing import Any

ALWAYS = "24/7"
# By asset class: names of exchange_calendars, UTC days for what trades all week.
_CALENDARS = {"crypto": ALWAYS, "forex": "24/5", "stock": "XNYS", "index": "XNYS"}
# Holidays are known from and to these days.
FIRST, LAST = date(1990, 1, 1), date(2035, 12, 31)
# Weeks begin on Mondays; all other bars begin where the days do.
_MONDAY = datetime(1970, 1, 5, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Gap:
    """Bars that are missing one after the other: the first's start, the last's, how many."""

    first: datetime
    last: datetime
    bars: int


def of(asset_class: str) -> str | None:
    """The calendar that an asset class trades by; None where nobody knows."""
    return _CALENDARS.get(asset_class)


def has_days(asset_class: str) -> bool:
    """Whether trading ends with the day, so that a session is what was traded on one."""
    return of(asset_class) not in (ALWAYS, "24/5")


def steps(
    step: timedelta, start: datetime, end: datetime, anchor: datetime | None
) -> Iterator[datetime]:
    """Starts in `start <= … < end` of bars of this length that follow one another; `anchor` is the
    start of one of them."""
    origin = anchor or _MONDAY
    first, beyond = -((origin - start) // step), -((origin - end) // step)
    return (origin + number * step for number in range(first, beyond))


def closing(asset_class: str, moment: datetime) -> datetime:
    """When the session ends that a moment is in, or the next one where it is in none.

    That is the close of the exchange, early ones included; midnight in UTC for what trades around
    the clock, and where nobody knows when it trades.
    """
    calendar = of(asset_class)
    if calendar in (None, ALWAYS) or not FIRST <= moment.date() < LAST:
        midnight = moment.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        return midnight + timedelta(days=1)
    found = _calendar(str(calendar))
    minute = moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M")
    closes: datetime = found.session_close(found.minute_to_session(minute, "next"))
    return datetime.fromtimestamp(closes.timestamp(), UTC)


def sessions(calendar: str, start: datetime, end: datetime) -> list[datetime]:
    """Days on which there is trading, as midnights in UTC with `start <= … < end`."""
    first, last = max(start.date(), FIRST), min(end.date(), LAST)
    if first > last:
        return []
    found = _calendar(calendar).sessions_in_range(first.isoformat(), last.isoformat())
    days = (datetime(day.year, day.month, day.day, tzinfo=UTC) for day in found)
    return [day for day in days if start <= day < end]


def gaps(due: Sequence[datetime], there: set[datetime]) -> list[Gap]:
    """What is due and not there; neighbours are told as one."""
    found = []
    for is_there, group in groupby(due, key=there.__contains__):
        if not is_there:
            missing = list(group)
            found.append(Gap(missing[0], missing[-1], len(missing)))
    return found


@cache
def _calendar(name: str) -> Any:
    # Brings pandas along, which most processes never need.
    import exchange_calendars  # type: ignore[import-untyped]  # it ships no types

    return exchange_calendars.get_calendar(name, start=FIRST.isoformat(), end=LAST.isoformat())
