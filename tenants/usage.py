"""How much a tenant asks of the platform, hour by hour, as the door has counted it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from tenants import door
from tenants.door import Count

HOURS = 24
_HOUR = 3600  # seconds


@dataclass(frozen=True, slots=True)
class Period:
    """What a tenant's people and keys asked in so many minutes; `refused` were answers 429."""

    start: datetime
    minutes: int
    admitted: int
    refused: int

    @property
    def a_minute(self) -> float:
        """The average of what was let in, to be held against the plan's limit."""
        return round(self.admitted / self.minutes, 1)


@dataclass(frozen=True, slots=True)
class Usage:
    """A tenant's last day: 24 hours of the clock (UTC), oldest first, the last one under way."""

    tenant_id: UUID
    hours: tuple[Period, ...]

    @property
    def this_hour(self) -> Period:
        return self.hours[-1]

    @property
    def day(self) -> Period:
        """All of it together."""
        return Period(
            start=self.hours[0].start,
            minutes=sum(hour.minutes for hour in self.hours),
            admitted=sum(hour.admitted for hour in self.hours),
            refused=sum(hour.refused for hour in self.hours),
        )


def of(tenant_id: UUID, *, now: datetime) -> Usage:
    """One tenant's. Raises ValkeyAway."""
    return of_each([tenant_id], now=now)[0]


def of_each(tenant_ids: Sequence[UUID], *, now: datetime) -> list[Usage]:
    """In the order given, in one round trip. Raises ValkeyAway."""
    last = int(now.timestamp()) // _HOUR
    hours = range(last - HOURS + 1, last + 1)
    counts = iter(door.counts((tenant_id, hour) for tenant_id in tenant_ids for hour in hours))
    return [
        Usage(tenant_id, tuple(_period(hour, next(counts), now=now) for hour in hours))
        for tenant_id in tenant_ids
    ]


def _period(hour: int, count: Count, *, now: datetime) -> Period:
    start = datetime.fromtimestamp(hour * _HOUR, UTC)
    begun = int((now - start).total_seconds()) // 60 + 1
    return Period(start, min(60, begun), count.admitted, count.refused)
