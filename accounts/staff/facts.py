"""What a tenant's page tells of its use and its health: numbers beside what the plan allows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.template.defaultfilters import filesizeformat
from django.utils.timesince import timesince

from accounts.access import queries as access
from accounts.staff import charts, elsewhere
from accounts.staff.charts import Chart, Meter
from accounts.staff.elsewhere import Backups
from tenants import cache, slots, slow_queries, usage
from tenants.models import EmergencyLock, Tenant
from tenants.slow_queries import SlowQuery
from tenants.tally import Count
from tenants.usage import Usage

_UNKNOWN = "–"
_SLOWEST = 10  # statements that a page shows


@dataclass(frozen=True, slots=True)
class Facts:
    """One tenant's last day, and what it has."""

    usage: Usage
    p95: str
    error_rate: str
    last_backup: str
    backup_tried: str
    requests: Chart
    slowness: Chart
    meters: tuple[Meter, ...]
    slow: list[SlowQuery]
    is_locked: bool
    time_zone: str

    @property
    def day(self) -> Count:
        return self.usage.day.count


def of(tenant: Tenant, *, now: datetime) -> Facts:
    """Raises ValkeyAway."""
    with_usage([tenant], now=now)
    used: Usage = tenant.usage
    return Facts(
        usage=used,
        p95=milliseconds(used.day.p95_ms),
        error_rate=rate(used.day.count),
        last_backup=last_backup(tenant),
        backup_tried=backup_tried(tenant),
        requests=charts.requests(used.hours),
        slowness=charts.slowness(used.hours),
        meters=_meters(tenant, used),
        slow=slow_queries.of(tenant.pk)[:_SLOWEST],
        is_locked=EmergencyLock.objects.filter(tenant=tenant).exists(),
        time_zone=access.policy(tenant.pk).time_zone,
    )


def with_usage(tenants: list[Tenant], *, now: datetime) -> list[Tenant]:
    """Each with its `usage` and `backups`, asked for once. Raises ValkeyAway."""
    ids = [tenant.pk for tenant in tenants]
    backups = elsewhere.backups(ids)
    for tenant, used in zip(tenants, usage.of_each(ids, now=now), strict=True):
        tenant.usage, tenant.backups = used, backups.get(tenant.pk)
    return tenants


def rows(tenant: Tenant) -> Meter:
    return charts.meter("Rows", _measured(tenant, "rows"), tenant.plan.max_rows)


def storage(tenant: Tenant) -> Meter:
    held, most = _measured(tenant, "bytes"), tenant.plan.max_bytes
    return charts.meter("Storage", held, most, filesizeformat)


def last_backup(tenant: Tenant) -> str:
    """How long ago it was taken."""
    found: Backups | None = tenant.backups
    return f"{timesince(found.taken_at, depth=1)} ago" if found else _UNKNOWN


def backup_tried(tenant: Tenant) -> str:
    """Whether the newest could be put back, and when that was seen."""
    found: Backups | None = tenant.backups
    if found is None:
        return "none is known"
    if found.fault:
        return f"cannot be put back: {found.fault}"
    if found.tried_at is None:
        return "not yet put back to try it"
    return f"put back to try it {timesince(found.tried_at, depth=1)} ago"


def milliseconds(took: int | None) -> str:
    return _UNKNOWN if took is None else f"{took:,} ms"


def rate(count: Count) -> str:
    """Of the requests that were let in, how many failed."""
    if not count.admitted:
        return _UNKNOWN
    return f"{100 * count.failed / count.admitted:.1f} %"


def _meters(tenant: Tenant, used: Usage) -> tuple[Meter, ...]:
    plan, held = tenant.plan, cache.held_bytes(tenant.pk)
    this_hour = round(used.this_hour.a_minute)
    return (
        charts.meter("Requests a minute, this hour", this_hour, plan.requests_per_minute),
        charts.meter("Requests at a time", slots.taken(tenant.pk), plan.concurrent_requests),
        rows(tenant),
        storage(tenant),
        charts.meter("Cache", held, plan.cache_quota_bytes, filesizeformat),
    )


def _measured(tenant: Tenant, what: str) -> int | None:
    """None until it was counted."""
    return getattr(getattr(tenant, "measured", None), what, None)
