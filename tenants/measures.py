"""What is measured of tenants: how many, who moves, and who asks most."""

from __future__ import annotations

import time
from collections.abc import Iterator
from uuid import UUID

from django.conf import settings
from django.core.cache import caches
from django.db.models import Count, Min
from django.utils import timezone

from config.observing.measure import Measure
from tenants import queries, tally
from tenants.models import Tenant, TenantMove, TenantWorkflow

_HOUR = 3600  # seconds
_KEY, _KEPT = "busiest-tenants-by-outcome", 60  # seconds
_OUTCOMES = ("admitted", "refused", "overdrawn")


def population() -> Iterator[Measure]:
    """Raises DatabaseError."""
    rows = Tenant.objects.values_list("plan_id", "status").annotate(count=Count("id"))
    for tier, status, count in rows.order_by("plan_id", "status"):
        labels = {"tier": tier, "status": status}
        yield Measure("bulkhead_tenants", "Tenants, by plan and status.", count, labels)


def moves() -> Iterator[Measure]:
    """Raises DatabaseError."""
    under_way = TenantMove.objects.filter(finished_at=None)
    found = under_way.aggregate(count=Count("id"), begun_at=Min("begun_at"))
    yield Measure("bulkhead_moves_under_way", "Tenants on the move.", found["count"])
    age = (timezone.now() - found["begun_at"]).total_seconds() if found["begun_at"] else 0
    yield Measure("bulkhead_move_oldest_seconds", "Since the oldest of them began.", age)


def workflows() -> Iterator[Measure]:
    """Raises DatabaseError."""
    under_way = TenantWorkflow.objects.filter(finished_at=None).values_list("kind")
    oldest = dict(under_way.annotate(asked_at=Min("asked_at")).order_by())
    for kind in TenantWorkflow.Kind.values:
        yield Measure(
            "bulkhead_workflow_oldest_seconds",
            "Since the oldest was asked for of those that are not done: tenants made, or deleted.",
            (timezone.now() - oldest[kind]).total_seconds() if kind in oldest else 0,
            {"kind": kind},
        )


def busiest() -> Iterator[Measure]:
    """The only series that name tenants, by id: so many, and no others. Raises ValkeyAway."""
    kept = caches["shared"].get_or_set(_KEY, _busiest, _KEPT)
    for tenant_id, *counts in kept or ():
        for outcome, count in zip(_OUTCOMES, counts, strict=True):
            yield Measure(
                "bulkhead_busiest_tenant_requests",
                "Requests of this hour of the tenants that ask most.",
                count,
                {"tenant": tenant_id, "outcome": outcome},
            )


def _busiest() -> list[tuple[str, int, int, int]]:
    hour = int(time.time()) // _HOUR
    tenant_ids: list[UUID] = queries.active_ids()
    asked = [
        (str(tenant_id), count.admitted, count.refused, count.overdrawn)
        for tenant_id, count in zip(
            tenant_ids, tally.counts((each, hour) for each in tenant_ids), strict=True
        )
        if count.admitted or count.refused or count.overdrawn
    ]
    asked.sort(key=lambda row: sum(row[1:]), reverse=True)
    return asked[: settings.METRICS_TENANTS_NAMED]
