"""A move before it is made: whether it can be, and how much there is to carry."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from tenants.lifecycle.errors import UnknownPlan
from tenants.models import Plan, Tenant, TenantMove
from tenants.moving import carrying, phases
from tenants.moving.errors import NothingToMove, NotMovable


@dataclass(frozen=True, slots=True)
class Size:
    """What there is to carry: rows, and bytes as they are stored, without indexes."""

    rows: int
    bytes: int


def size(*, tenant: Tenant, plan: str, now: datetime) -> Size:
    """Of a move that would be made now. Raises what `planned` raises, and OwnerLoginMissing."""
    route = phases.route_of(planned(tenant, plan, now=now))
    rows = stored = 0
    with carrying.snapshot(route) as cursor, carrying.as_mover(cursor):
        for table in carrying.tables():
            cursor.execute(route.size(table), [route.tenant_id])
            ((some, weight),) = cursor.fetchall()
            rows, stored = rows + int(some), stored + int(weight)
    return Size(rows, stored)


def planned(tenant: Tenant, plan: str, *, now: datetime) -> TenantMove:
    """Raises UnknownPlan, NothingToMove, NotMovable."""
    found = Plan.objects.filter(code=plan).first()
    if found is None:
        raise UnknownPlan(f"There is no plan {plan!r}.")
    dedicated, shared = Tenant.Placement.DEDICATED, Tenant.Placement.SHARED
    placement = dedicated if found.has_own_schema else shared
    if placement == tenant.placement:
        raise NothingToMove(f"{tenant.slug} is {tenant.placement} already.")
    if tenant.status not in (Tenant.Status.ACTIVE, Tenant.Status.SUSPENDED):
        raise NotMovable(f"The tenant is {tenant.status}.")
    return TenantMove(tenant=tenant, placement=placement, plan=found, begun_at=now)
