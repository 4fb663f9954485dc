"""What may be asked about backups."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Max, Q, QuerySet

from accounts.access import queries as access
from accounts.trail.models import PlatformEvent
from backups import catalogue, retention, schedule
from backups.archive.entry import Entry
from backups.errors import NoBackup
from backups.models import Backup, Restoration
from backups.retention import Rule, Taken
from backups.storage import place
from tenants import queries as tenants
from tenants.identifiers import made_at
from tenants.models import Plan, Tenant


def of_tenant(slug: str, backup_id: UUID) -> Entry:
    """The entry of a tenant's backup, whether or not the database knows of it. Raises NoBackup."""
    entry = catalogue.find(place.chosen(), backup_id)
    tenant_id = _id_of(slug)
    if entry.tenant != tenant_id if tenant_id else entry.slug != slug:
        raise NoBackup("It is another tenant's.")
    return entry


def newest_of(slug: str) -> UUID:
    """The tenant's newest complete backup. Raises NoBackup."""
    complete = Backup.objects.filter(status=Backup.Status.COMPLETE)
    tenant_id = _id_of(slug)
    if tenant_id:
        theirs = complete.filter(tenant_id=tenant_id)
    else:
        theirs = complete.filter(slug=slug).exclude(tenant_id__in=Tenant.objects.values("id"))
    found = theirs.order_by("-taken_at").values_list("id", flat=True).first()
    if found is None:
        raise NoBackup(f"There is no complete backup of {slug!r}.")
    return found


def _id_of(slug: str) -> UUID | None:
    """Of a tenant that is there or was: what a tenant's own rows say of it, it could have written
    itself. None of one that the database does not know, as after it was brought back from before.
    """
    found: UUID | None = Tenant.objects.filter(slug=slug).values_list("id", flat=True).first()
    return found


@dataclass(frozen=True, slots=True)
class Standing:
    """How a tenant stands with its backups."""

    taken_at: datetime  # the moment that the newest is of
    tried_at: datetime | None  # when one of its was last put back, whole
    fault: str  # what was wrong with the one that was tried last
    is_restored: bool = False  # just now, to one of its own


def standing_of_each(tenant_ids: Iterable[UUID]) -> dict[UUID, Standing]:
    """By tenant; who has no complete backup is left out."""
    complete = Backup.objects.filter(status=Backup.Status.COMPLETE)
    return _standing(complete.filter(tenant_id__in=list(tenant_ids)))


def standing_of_active() -> dict[UUID, Standing]:
    """The same of all active tenants, however many there are."""
    active = Tenant.objects.filter(status=Tenant.Status.ACTIVE).values("id")
    complete = Backup.objects.filter(status=Backup.Status.COMPLETE)
    return _standing(complete.filter(tenant_id__in=active))


def _standing(complete: QuerySet[Backup]) -> dict[UUID, Standing]:
    whole = Q(verified_fault="")
    found = (
        complete.order_by()
        .values("tenant_id")
        .annotate(taken=Max("taken_at"), tried=Max("verified_at", filter=whole))
    )
    tried = complete.exclude(verified_at=None).order_by("tenant_id", "-verified_at")
    faults = dict(tried.distinct("tenant_id").values_list("tenant_id", "verified_fault"))
    running = Restoration.objects.filter(status=Restoration.Status.RUNNING)
    restored = set(running.values_list("tenant_id", flat=True))
    return {
        tenant_id: Standing(taken, tried_at, faults.get(tenant_id, ""), tenant_id in restored)
        for tenant_id, taken, tried_at in found.values_list("tenant_id", "taken", "tried")
    }


def to_try(*, most: int | None = None) -> list[UUID]:
    """The newest backup of each tenant, also of those that are gone; tried longest ago first."""
    complete = Backup.objects.filter(status=Backup.Status.COMPLETE)
    newest = complete.order_by("tenant_id", "-taken_at", "-id").distinct("tenant_id")
    tried = complete.order_by().values("tenant_id").annotate(at=Max("verified_at"))
    last = dict(tried.values_list("tenant_id", "at"))
    found = [(last[tenant_id], pk) for pk, tenant_id in newest.values_list("id", "tenant_id")]
    found.sort(key=lambda row: (row[0] is not None, row[0], row[1]))
    return [pk for _, pk in found[:most]]


def active_since() -> dict[UUID, datetime]:
    """Active tenants, each with when it was made."""
    active = Tenant.objects.filter(status=Tenant.Status.ACTIVE)
    return dict(active.values_list("id", "created_at"))


def without_archives() -> list[Tenant]:
    """Tenants that were deleted, of which we know no archive that is left, or is about to be, and
    of which it does not stand yet that they are erased."""
    kept = (Backup.Status.ASKED, Backup.Status.RUNNING, Backup.Status.COMPLETE)
    of_some = Backup.objects.filter(status__in=kept).values("tenant_id")
    said = PlatformEvent.objects.filter(action="tenant.erased").values("key")
    gone = Tenant.objects.filter(status=Tenant.Status.DELETED).exclude(pk__in=of_some)
    gone = gone.exclude(slug__in=said)
    return list(gone.order_by("pk"))


def failed_since(moment: datetime) -> int:
    """How many backups have failed since then."""
    return Backup.objects.filter(status=Backup.Status.FAILED, finished_at__gte=moment).count()


def waiting() -> list[UUID]:
    """Backups that were asked for and that nobody has begun, oldest first: of a tenant the first of
    those asked for and of the nightly ones, so that many of one keep nobody else waiting."""
    asked = Backup.objects.of_workers().filter(status=Backup.Status.ASKED)
    first = asked.order_by("tenant_id", "reason", "asked_at", "id").distinct("tenant_id", "reason")
    return [pk for _, pk in sorted(first.values_list("asked_at", "id"))]


def maybe_broken_off(*, made_before: datetime) -> list[Backup]:
    """Those that somebody is taking, if still alive; or was about to, when making the row."""
    running = Q(status=Backup.Status.RUNNING)
    begun = Q(status=Backup.Status.ASKED) & ~Q(reason__in=Backup.OF_WORKERS)
    found = Backup.objects.filter(running | begun).order_by("asked_at", "id")
    return [
        backup
        for backup in found
        if backup.status == Backup.Status.RUNNING or made_at(backup.id) < made_before
    ]


def waiting_restorations() -> list[UUID]:
    """Restorations that nobody has begun, oldest first."""
    asked = Restoration.objects.filter(status=Restoration.Status.ASKED)
    return list(asked.order_by("asked_at", "id").values_list("id", flat=True))


def waiting_exports() -> list[UUID]:
    """Backups that somebody wants to read and nobody has opened, oldest wish first."""
    asked = Backup.objects.filter(status=Backup.Status.COMPLETE, export_until=None)
    waiting = asked.exclude(export_asked_at=None).order_by("export_asked_at", "id")
    return list(waiting.values_list("id", flat=True))


def due(*, now: datetime) -> list[Tenant]:
    """Active tenants whose nightly backup has not been asked for yet."""
    active = Tenant.objects.filter(status=Tenant.Status.ACTIVE).order_by("id")
    last, clocks = _last_nightly(), access.clocks()
    return [
        tenant
        for tenant in active
        if schedule.is_due(
            last.get(tenant.id), now=now, zone=clocks[tenant.id], tenant_id=tenant.id
        )
    ]


def surplus(*, now: datetime) -> list[Backup]:
    """Complete backups that no rule keeps, oldest first."""
    complete = Backup.objects.filter(status=Backup.Status.COMPLETE)
    rules, clocks = _rules(), access.clocks()
    found: list[Backup] = []
    for tenant_id in complete.order_by().values_list("tenant_id", flat=True).distinct():
        rows = list(complete.filter(tenant_id=tenant_id).order_by("taken_at", "id"))
        stay = _staying(rows, rules.get(tenant_id), now=now, zone=clocks[tenant_id])
        found += [row for row in rows if row.id not in stay]
    return found


def _staying(
    rows: Iterable[Backup], rule: Rule | None, *, now: datetime, zone: ZoneInfo
) -> set[UUID]:
    """A tenant without a rule is gone."""
    taken = [
        Taken(
            row.id,
            row.taken_at,
            is_last=row.reason == Backup.Reason.LAST,
            made_at=row.asked_at if row.reason == Backup.Reason.INSTANT else None,
        )
        for row in rows
        if row.taken_at is not None
    ]
    if rule is None:
        return retention.kept_after_the_end(taken, now=now)
    return retention.kept(taken, rule, now=now, zone=zone)


def _rules() -> dict[UUID, Rule]:
    plans = {plan.code: _rule(plan) for plan in Plan.objects.all()}
    return {tenant_id: plans[plan] for tenant_id, plan in tenants.there().values_list("id", "plan")}


def _rule(plan: Plan) -> Rule:
    return Rule(plan.backups_daily, plan.backups_weekly, plan.backups_monthly)


def _last_nightly() -> dict[UUID, datetime]:
    nightly = Backup.objects.filter(reason=Backup.Reason.NIGHTLY)
    asked = nightly.exclude(status=Backup.Status.FAILED).order_by().values("tenant_id")
    return dict(asked.annotate(last=Max("asked_at")).values_list("tenant_id", "last"))
