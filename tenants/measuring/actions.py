"""What may be done about what a tenant has: count it."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from tenants import context
from tenants.context import Actor, Scope, TenantContext
from tenants.errors import TenantSuspended, UnknownTenant
from tenants.measuring import queries
from tenants.measuring.queries import Held
from tenants.models import TenantUsage

_JOB = Actor.system("measure-tenant")


def measure(*, tenant_id: UUID, now: datetime) -> None:
    """Count a tenant's rows and bytes inside it, and keep the result; at most once an hour.

    Those of a suspended tenant stay as they were counted.
    """
    if not queries.is_due(tenant_id, now=now):
        return
    try:
        held = _held(TenantContext(tenant_id, _JOB, Scope.TENANT, is_read_only=True))
    except (TenantSuspended, UnknownTenant):
        return
    counted = {"rows": held.rows, "bytes": held.bytes, "counted_at": now}
    TenantUsage.objects.update_or_create(tenant_id=tenant_id, defaults=counted)


def _held(inside: TenantContext) -> Held:
    """In as many transactions as it takes: no move of a large tenant waits for the last row.

    Raises TenantSuspended, UnknownTenant.
    """
    left = queries.everything()
    with context.enter(inside):
        held = queries.files()
    while left:
        with context.enter(inside):
            some, left = queries.some(left)
        held += some
    return held
