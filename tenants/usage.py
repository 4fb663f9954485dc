"""How much a tenant asks of the platform, hour by hour, as the door has counted it; what it has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import reduce
from operator import add
from uuid import UUID

from tenants import cache, limits, slots, tally
from tenants.limits import Limits
from tenants.models import TenantUsage
from tenants.tally import Count

HOURS = 24
_HOUR = 3600  # seconds
_MOST = 0.95


@dataclass(frozen=True, slots=True)
class Period:
    """What a tenant's people and keys asked in so many minutes.

    `refused`, `overdrawn` and `crowded` were answers 429, for requests a minute, for server time
    and for requests at a time.
    `denied` (4xx) and `failed` (5xx) are of those that were let in.
    """

    start: datetime
    minutes: int
    count: Count

    @property
    def a_minute(self) -> float:
        """The average of what was let in, to be held against the plan's limit."""
        return round(self.count.admitted / self.minutes, 1)

    @property
    def p95_ms(self) -> int | None:
        """Nineteen of twenty requests took at most so many milliseconds; None without any."""
        return self.count.within(_MOST)


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
        minutes = sum(hour.minutes for hour in self.hours)
        count = reduce(add, (hour.count for hour in self.hours))
        return Period(self.hours[0].start, minutes, count)


@dataclass(frozen=True, slots=True)
class Standing:
    """What a tenant may, asks and has just now; `measured` is None until it was counted."""

    limits: Limits
    asked: Usage
    concurrent_requests: int
    cache_bytes: int
    measured: TenantUsage | None


def of(tenant_id: UUID, *, now: datetime) -> Usage:
    """One tenant's. Raises ValkeyAway."""
    return of_each([tenant_id], now=now)[0]


def of_each(tenant_ids: Sequence[UUID], *, now: datetime) -> list[Usage]:
    """In the order given, in one round trip. Raises ValkeyAway."""
    last = int(now.timestamp()) // _HOUR
    hours = range(last - HOURS + 1, last + 1)
    counts = iter(tally.counts((tenant_id, hour) for tenant_id in tenant_ids for hour in hours))
    return [
        Usage(tenant_id, tuple(_period(hour, next(counts), now=now) for hour in hours))
        for tenant_id in tenant_ids
    ]


def standing(tenant_id: UUID, *, now: datetime) -> Standing:
    """One tenant's, from outside or inside of it. Raises UnknownTenant or ValkeyAway."""
    return Standing(
        limits=limits.of(tenant_id),
        asked=of(tenant_id, now=now),
        concurrent_requests=slots.taken(tenant_id),
        cache_bytes=cache.held_bytes(tenant_id),
        measured=TenantUsage.objects.filter(tenant_id=tenant_id).first(),
    )


def _period(hour: int, count: Count, *, now: datetime) -> Period:
    start = datetime.fromtimestamp(hour * _HOUR, UTC)
    begun = int((now - start).total_seconds()) // 60 + 1
    return Period(start, min(60, begun), count)
