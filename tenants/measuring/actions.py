"""What may be done about what a tenant has: count it."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from tenants import context
from tenants.context import Actor, Scope, TenantContext
from tenants.errors import TenantSuspended, UnknownTenant
from tenants.measuring import queries
from tenants.models import TenantUsage

_JOB = Actor.system("measure-tenant")


def measure(*, tenant_id: UUID, now: datetime) -> None:
    """Count a tenant's rows and bytes inside it, and keep the result; at most once an hour.

    Those of a suspended tenant stay as they were counted.
    """
    if not queries.is_due(tenant_id, now=now):
        return
    inside = TenantContext(tenant_id, _JOB, Scope.TENANT, is_read_only=True)
    try:
        with context.enter(inside):
            held = queries.held()
    except (TenantSuspended, UnknownTenant):
        return
    counted = {"rows": held.rows, "bytes": held.bytes, "counted_at": now}
    TenantUsage.objects.update_or_create(tenant_id=tenant_id, defaults=counted)
