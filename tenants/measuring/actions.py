"""What may be done about what a tenant has: count it."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from uuid import UUID

from tenants import context, door, limits
from tenants.context import Actor, Scope, TenantContext
from tenants.errors import TenantSuspended, UnknownTenant
from tenants.limits import Limits
from tenants.measuring import queries
from tenants.measuring.queries import Held
from tenants.models import TenantUsage
from tenants.valkey import ValkeyAway

_JOB = Actor.system("measure-tenant")


def measure(*, tenant_id: UUID, now: datetime) -> None:
    """Count a tenant's rows and bytes inside it, and keep the result; at most once an hour.

    Those of a suspended tenant stay as they were counted.
    """
    if queries.is_due(tenant_id, now=now):
        measure_again(tenant_id=tenant_id, now=now)


def measure_again(*, tenant_id: UUID, now: datetime) -> None:
    """The same, however lately it was counted. Who is full from now on, or no more, is at once."""
    try:
        before = limits.fresh(tenant_id)
        held = _held(TenantContext(tenant_id, _JOB, Scope.TENANT, is_read_only=True))
        counted = {"rows": held.rows, "bytes": held.bytes, "counted_at": now}
        TenantUsage.objects.update_or_create(tenant_id=tenant_id, defaults=counted)
        after = limits.fresh(tenant_id)
    except (TenantSuspended, UnknownTenant):
        return
    if _fullness(before) != _fullness(after):
        with suppress(ValkeyAway):  # then what is remembered holds a little longer
            door.limits_have_changed()


def _fullness(known: Limits) -> tuple[bool, bool]:
    return known.has_all_rows, known.has_all_bytes


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
