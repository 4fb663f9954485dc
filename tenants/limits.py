"""What a tenant's plan allows, remembered for a short while so that changes need no restart."""

from __future__ import annotations

import time
from dataclasses import dataclass
from threading import Lock
from uuid import UUID

from tenants import context
from tenants.errors import UnknownTenant
from tenants.models import Tenant

_REMEMBERED_FOR = 30.0  # seconds
_REMEMBERED_AT_MOST = 10_000

_known: dict[UUID, tuple[Limits, float]] = {}
_lock = Lock()


@dataclass(frozen=True, slots=True)
class Limits:
    """Numbers of the plan a tenant is on."""

    requests_per_minute: int
    statement_timeout_ms: int
    concurrent_requests: int
    cache_quota_bytes: int
    tier: str


def of(tenant_id: UUID) -> Limits:
    """The tenant's limits. Raises UnknownTenant."""
    known, now = _known.get(tenant_id), time.monotonic()
    if known and known[1] > now:
        return known[0]
    limits = _read(tenant_id)
    with _lock:
        if len(_known) >= _REMEMBERED_AT_MOST:
            _known.clear()
        _known[tenant_id] = (limits, now + _REMEMBERED_FOR)
    return limits


def known_tier(tenant_id: UUID) -> str:
    """The tier of a tenant whose limits were asked for lately; `-` else, without a query."""
    known = _known.get(tenant_id)
    return known[0].tier if known else "-"


def entered() -> Limits:
    """The limits of the entered tenant."""
    return of(context.require().tenant_id)


def _read(tenant_id: UUID) -> Limits:
    plan = Tenant.objects.filter(pk=tenant_id).values_list(
        "plan__requests_per_minute",
        "plan__statement_timeout_ms",
        "plan__concurrent_requests",
        "plan__cache_quota_bytes",
        "plan_id",
    )
    row = plan.first()
    if row is None:
        raise UnknownTenant
    return Limits(*row)
