"""When a nightly backup is due."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest

from backups.schedule import due_at, is_due

FIRST = UUID(int=0)  # at the very beginning of the hour
BERLIN, NEW_YORK = ZoneInfo("Europe/Berlin"), ZoneInfo("America/New_York")


@pytest.mark.parametrize(
    ("zone", "day", "at"),
    [
        (ZoneInfo("UTC"), date(2026, 1, 5), datetime(2026, 1, 5, 2, tzinfo=UTC)),
        (BERLIN, date(2026, 1, 5), datetime(2026, 1, 5, 1, tzinfo=UTC)),
        (BERLIN, date(2026, 7, 5), datetime(2026, 7, 5, 0, tzinfo=UTC)),
        # the clock leaps from 2 to 3, and back from 3 to 2
        (BERLIN, date(2026, 3, 29), datetime(2026, 3, 29, 1, tzinfo=UTC)),
        (BERLIN, date(2026, 10, 25), datetime(2026, 10, 25, 0, tzinfo=UTC)),
        (NEW_YORK, date(2026, 1, 5), datetime(2026, 1, 5, 7, tzinfo=UTC)),
    ],
)
def test_it_is_due_at_two_of_the_tenants_clock(zone: ZoneInfo, day: date, at: datetime) -> None:
    assert due_at(day, zone, FIRST) == at


def test_tenants_of_a_zone_are_spread_over_an_hour() -> None:
    day, utc = date(2026, 1, 5), ZoneInfo("UTC")
    moments = {due_at(day, utc, uuid4()) for _ in range(300)}
    assert len(moments) > 200
    assert max(moments) - min(moments) < timedelta(hours=1)


@pytest.mark.parametrize(
    ("last", "now", "expected"),
    [
        (None, datetime(2026, 1, 5, 0, tzinfo=UTC), True),  # a new tenant
        (datetime(2026, 1, 4, 2, tzinfo=UTC), datetime(2026, 1, 5, 1, 59, tzinfo=UTC), False),
        (datetime(2026, 1, 4, 2, tzinfo=UTC), datetime(2026, 1, 5, 2, tzinfo=UTC), True),
        (datetime(2026, 1, 5, 2, tzinfo=UTC), datetime(2026, 1, 5, 2, 1, tzinfo=UTC), False),
        # after a day without workers one is taken, at once, and not two
        (datetime(2026, 1, 3, 2, tzinfo=UTC), datetime(2026, 1, 5, 1, tzinfo=UTC), True),
        (datetime(2026, 1, 5, 1, tzinfo=UTC), datetime(2026, 1, 5, 1, 30, tzinfo=UTC), False),
    ],
)
def test_it_is_due_once_a_night(last: datetime | None, now: datetime, *, expected: bool) -> None:
    assert is_due(last, now=now, zone=ZoneInfo("UTC"), tenant_id=FIRST) is expected
