"""What the staff may ask about all tenants together: numbers, never rows of theirs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Count, F, Q, QuerySet

from accounts.trail import anchors
from accounts.trail.models import PlatformEvent
from tenants.fleet import standing
from tenants.identifiers import tenant_of
from tenants.lifecycle import workflow
from tenants.models import EmergencyLock, Tenant, TenantMove, TenantUsage, TenantWorkflow
from tenants.queries import there

_LONG = timedelta(minutes=10)  # for a move: longer, and somebody should look
_NEARLY = 0.9  # of what a plan allows
_FEW = 8


@dataclass(frozen=True, slots=True)
class Standing:
    """How many tenants have this status."""

    status: str
    tenants: int


@dataclass(frozen=True, slots=True)
class Concern:
    """Something that somebody should look at, with the tenant that it is about."""

    title: str
    told: str
    tenant_id: UUID | None = None
    is_grave: bool = True


def standings() -> list[Standing]:
    """For each status, also one that nobody has."""
    rows = Tenant.objects.values_list("status").annotate(number=Count("pk")).order_by()
    found = dict(rows)
    return [Standing(status, found.get(status, 0)) for status in Tenant.Status.values]


def concerns(*, now: datetime) -> list[Concern]:
    """All that waits for somebody, the gravest first."""
    found = [*_locks(), *_work(now), *_moves(now), *_schemas(), *_full()]
    return sorted(found, key=lambda concern: not concern.is_grave)


def under_way() -> list[Tenant]:
    """Tenants that are being made, moved or deleted, the newest first."""
    made = TenantWorkflow.objects.filter(finished_at=None).values("tenant")
    moved = TenantMove.objects.filter(finished_at=None).values("tenant")
    busy = there().filter(Q(pk__in=made) | Q(pk__in=moved))
    return list(busy.select_related("plan").order_by("-created_at"))


def placements() -> dict[str, int]:
    """How many tenants live in the shared tables, and how many in a schema of their own."""
    rows = there().values_list("placement").annotate(number=Count("pk")).order_by()
    return {placement: dict(rows).get(placement, 0) for placement in Tenant.Placement.values}


def last_moves() -> QuerySet[TenantMove]:
    """The newest few, done or not."""
    return TenantMove.objects.select_related("tenant", "plan").order_by("-begun_at")[:_FEW]


def lately(tenant: Tenant | None = None) -> QuerySet[PlatformEvent]:
    """The newest entries of the platform's trail, of all or of one tenant.

    Ends of chains are told by id, all else by slug, and a slug may look like somebody's id.
    """
    rows = PlatformEvent.objects.all()
    if tenant is not None:
        is_end = Q(action__in=anchors.ACTIONS)
        by_id, by_slug = Q(key=str(tenant.pk)), Q(key=tenant.slug)
        rows = rows.filter(is_end & by_id | ~is_end & by_slug, kind="tenant")
    return rows.order_by("-at", "-id")[:_FEW]


def _locks() -> Iterator[Concern]:
    for lock in EmergencyLock.objects.select_related("tenant"):
        title = f"{lock.tenant.slug} is locked" if lock.tenant else "All tenants are locked"
        yield Concern(title, f"Its data answers 503 since {_when(lock.at)}.", lock.tenant_id)


def _work(now: datetime) -> Iterator[Concern]:
    for found in workflow.unfinished():
        tenant, step = found.workflow.tenant, found.step
        verb = "made" if found.workflow.kind == TenantWorkflow.Kind.PROVISION else "deleted"
        if found.has_failed and step is not None:
            yield Concern(f"{tenant.slug} could not be {verb}", step.error, tenant.pk)
        elif found.is_due(now):
            title, told = f"{tenant.slug} waits to be {verb}", "Does the operator's worker run?"
            yield Concern(title, told, tenant.pk, is_grave=False)


def _moves(now: datetime) -> Iterator[Concern]:
    for move in TenantMove.objects.filter(finished_at=None).select_related("tenant"):
        slug, tenant_id = move.tenant.slug, move.tenant_id
        if move.error:
            yield Concern(f"The move of {slug} was broken off", move.error, tenant_id)
        elif now - move.begun_at > _LONG:
            told = f"It began at {_when(move.begun_at)}."
            yield Concern(f"The move of {slug} takes long", told, tenant_id, is_grave=False)


def _schemas() -> Iterator[Concern]:
    for schema in standing.seen() or ():
        told = schema.error or "Migrations are missing."
        title, is_grave = f"The tables of {schema.slug or 'all shared tenants'} are behind", True
        yield Concern(title, told, tenant_of(schema.schema), is_grave=is_grave)


def _full() -> Iterator[Concern]:
    plan = "tenant__plan__max_"
    many = Q(rows__gte=F(f"{plan}rows") * _NEARLY) | Q(bytes__gte=F(f"{plan}bytes") * _NEARLY)
    for measured in TenantUsage.objects.filter(many).select_related("tenant__plan"):
        slug, plan_name = measured.tenant.slug, measured.tenant.plan.name
        told = f"It has nearly all that {plan_name} lets it have."
        yield Concern(f"{slug} is nearly full", told, measured.tenant_id, is_grave=False)


def _when(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"
