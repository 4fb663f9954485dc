"""What a tenant's plan allows, remembered for a short while so that changes need no restart."""

from __future__ import annotations

import time
from dataclasses import dataclass
from uuid import UUID

from tenants import context
from tenants.errors import UnknownTenant
from tenants.models import Tenant

_REMEMBERED_FOR = 30.0  # seconds
_known: dict[UUID, tuple[Limits, float]] = {}


@dataclass(frozen=True, slots=True)
class Limits:
    """Numbers of the plan a tenant is on."""

    requests_per_minute: int
    statement_timeout_ms: int
    concurrent_requests: int
    cache_quota_bytes: int


def of(tenant_id: UUID) -> Limits:
    """The tenant's limits. Raises UnknownTenant."""
    known = _known.get(tenant_id)
    now = time.monotonic()
    if known is None or known[1] < now:
        known = (_read(tenant_id), now + _REMEMBERED_FOR)
        _known[tenant_id] = known
    return known[0]


def entered() -> Limits:
    """The limits of the entered tenant."""
    return of(context.require().tenant_id)


def _read(tenant_id: UUID) -> Limits:
    plan = Tenant.objects.filter(pk=tenant_id).values_list(
        "plan__requests_per_minute",
        "plan__statement_timeout_ms",
        "plan__concurrent_requests",
        "plan__cache_quota_bytes",
    )
    row = plan.first()
    if row is None:
        raise UnknownTenant
    return Limits(*row)
