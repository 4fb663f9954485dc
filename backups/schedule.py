"""When a nightly backup is due: from 02:00 of the tenant's clock on, spread over an hour. Pure."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

_HOUR = 2  # of the tenant's clock
_SPREAD = 3_600  # seconds over which the tenants of a time zone are spread


def due_at(day: date, zone: ZoneInfo, tenant_id: UUID) -> datetime:
    """The moment of that day, the same offset for a tenant every night.

    Where the clock leaps over 02:00 it is the moment when it would have been.
    """
    begins = datetime.combine(day, time(_HOUR), tzinfo=zone).astimezone(ZoneInfo("UTC"))
    return begins + timedelta(seconds=tenant_id.int % _SPREAD)


def is_due(last: datetime | None, *, now: datetime, zone: ZoneInfo, tenant_id: UUID) -> bool:
    """Whether the newest moment that has passed came after the `last` backup was asked for."""
    today = now.astimezone(zone).date()
    # Two days back: a zone may leap over the date line, and a day.
    moments = [due_at(today - timedelta(days=back), zone, tenant_id) for back in (0, 1, 2)]
    passed = max(moment for moment in moments if moment <= now)
    return last is None or last < passed
