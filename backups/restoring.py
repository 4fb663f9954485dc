"""Putting a backup back: in the place of a tenant's present state, or as a tenant of its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.apps import apps
from django.conf import settings
from django.db import transaction

from accounts.access.models import Membership
from accounts.access.roles import Role
from accounts.members import actions as members
from accounts.users.models import User
from backups import actions, catalogue, progress, settling, shapes, snapshot, staging
from backups.archive.entry import Entry
from backups.archive.manifest import Manifest
from backups.errors import NoBackup, NotRestorable
from backups.models import Backup, Restoration
from backups.settling import OPERATOR, Exchanged, Report
from backups.storage import place
from backups.swapping import TRAIL, Difference, Place
from tenants import queries as tenants
from tenants import returning
from tenants.backend.routers import OWNER_ALIAS
from tenants.context import Actor
from tenants.cursors import Cursor
from tenants.lifecycle import founding, turns
from tenants.lifecycle.provisioning import owner_cursor
from tenants.models import Tenant, TenantMove
from tenants.moving import carrying, exclusion, fence

_HOME = """
SELECT CASE placement WHEN 'dedicated' THEN schema_name ELSE 'public' END
  FROM public.tenants_tenant WHERE id = %s
"""


@dataclass(frozen=True, slots=True)
class Restored:
    """What there was to do, by table, and the backup of the state before, if there was one."""

    tenant: Tenant
    differences: tuple[Difference, ...]
    undo: UUID | None


def compare(*, entry: Entry, report: Report) -> list[Difference]:
    """What a restore in place would do, and do none of it.

    Raises NotRestorable, ArchiveUnfit, WrongBackupKey, OtherShape, MoveUnderWay.
    """
    tenant = _living(entry)
    with _brought(entry, report), owner_cursor() as cursor:
        here = _place(cursor, tenant.id)
        with carrying.as_mover(cursor):
            return here.differences(cursor, carrying.tables())


def restore(*, entry: Entry, by: Actor, now: datetime, report: Report) -> Restored:
    """Put the backup in the place of what the tenant has now, of which a backup is taken before.

    While that is taken and its rows are exchanged whoever asks the tenant is refused
    (TenantRestoring), and at no other time; its trail stays and says so. Raises NotRestorable,
    RestorationUnderWay, ArchiveUnfit, WrongBackupKey, OtherShape, NotRestored, TenantIsBusy,
    BackupBehind, MoveUnderWay, and as `actions.take`: nothing has changed then. Raises Unfinished
    where it is put back, and something that comes after that was not done.
    """
    _living(entry)
    with exclusion.nobody_else(entry.tenant):
        for left in progress.running(entry.tenant):
            settling.end(left, now=now)
        begun = progress.begun(entry, by=by, now=now)
        with progress.kept(begun):
            return _put_back(entry, begun, by=by, now=now, report=report)


def carry_out(*, restoration_id: UUID, now: datetime) -> Restoration:
    """Restore as somebody has asked; one that is under way, or over, is given as it is.

    Raises NoBackup, and as `restore`.
    """
    rows = Restoration.objects.filter(pk=restoration_id)
    claimed = rows.filter(status=Restoration.Status.ASKED).update(
        status=Restoration.Status.RUNNING, begun_at=now
    )
    asked = rows.first()
    if asked is None:
        raise NoBackup
    if not claimed:
        return asked
    with progress.kept(asked), exclusion.nobody_else(asked.tenant_id):
        whose = {"tenant_id": asked.tenant_id, "backup_id": asked.backup_id}
        entry = catalogue.of(place.chosen(), **whose)
        by = Actor.user(asked.asked_by_id) if asked.asked_by_id else OPERATOR
        _put_back(entry, asked, by=by, now=now, report=lambda _line: None)
    return asked


def restore_into(*, entry: Entry, slug: str, by: Actor, now: datetime, report: Report) -> Restored:
    """A new tenant with the backup's rows, on the plan that theirs was on: it is there with all of
    them, or not at all.

    Who is a member of the old one now is one of the new; if that is gone, who was one then. What
    must not be there twice, such as keys of an exchange, does not come along, and it begins a trail
    of its own. Broken off before the people are in, the same again goes on. Raises SlugTaken,
    NotRestorable, and as `restore`.
    """
    with turns.kept_as_they_are(), _brought(entry, report) as manifest:
        origin, source = manifest.origin, f"backup {entry.backup}"
        terms = {"name": origin.name, "tier": origin.plan, "region": origin.region}
        with founding.filled(slug=slug, source=source, **terms, now=now) as (begun, cursor):
            there = Place(begun.id, begun.live_schema)
            differences = there.put(cursor, without=TRAIL | _not_copied())
    report(f"{slug} has its rows")
    settling.remember(manifest.emails, backup=entry.backup, by=by, now=now, report=report)
    tenant = _opened(begun.id, manifest, by=by, now=now)
    settling.say(_exchanged(tenant, entry), None, by=by)
    settling.have_heard(tenant)
    return Restored(tenant, tuple(differences), None)


def _put_back(
    entry: Entry, begun: Restoration | None, *, by: Actor, now: datetime, report: Report
) -> Restored:
    """Whoever calls it is alone at the tenant."""

    def tell(line: str) -> None:
        progress.note(begun, line)
        report(line)

    tenant = _living(entry)
    _check_stays(tenant)
    with _brought(entry, tell) as manifest:
        with fence.shut(tenant.id) as cursor:
            undo = _undo(cursor, tenant, by=by, now=now)
            tell(f"the present state is backup {undo.id}")
            differences = _place(cursor, tenant.id).put(cursor)
            returning.note(tenant.id, now=now, using=OWNER_ALIAS)
            progress.exchanged(begun, undo=undo.id)
        report("exchanged")
    done = _exchanged(tenant, entry, undo.id)
    settling.settle(done, begun, people=manifest.emails, by=by, now=now, report=report)
    return Restored(tenant, tuple(differences), undo.id)


def _undo(cursor: Cursor, tenant: Tenant, *, by: Actor, now: datetime) -> Backup:
    """Of the very state that is exchanged: inside the fence, where nothing is committed after it.

    Its log-in may lead to a standby, which has to have come as far.
    """
    cursor.execute("SELECT pg_catalog.pg_current_wal_lsn()::text")
    ((lsn,),) = cursor.fetchall()
    snapshot.await_position(lsn)
    return actions.take(tenant=tenant, reason=Backup.Reason.UNDO, by=by.name, now=now)


def _exchanged(tenant: Tenant, entry: Entry, undo: UUID | None = None) -> Exchanged:
    return Exchanged(tenant, entry.backup, entry.slug, entry.taken_at, undo)


@contextmanager
def _brought(entry: Entry, report: Report) -> Iterator[Manifest]:
    """The archive beside the live rows; checked as a whole before any of it is believed."""
    storage = place.chosen()
    checked = catalogue.check(storage, entry)
    report(f"the archive is whole: {checked.rows} rows of {checked.origin.at:%Y-%m-%d %H:%M:%S}")
    with catalogue.reading(storage, entry) as reader, staging.staged(reader) as manifest:
        report("its rows are beside the live ones")
        for name in shapes.new_tables(manifest, (table.name for table in carrying.tables())):
            report(f"{name} is new since then: the backup has no rows of it")
        yield manifest


def _living(entry: Entry) -> Tenant:
    tenant: Tenant | None = tenants.there().filter(pk=entry.tenant).first()
    if tenant is None:
        raise NotRestorable("The tenant is gone: restore into a new one.")
    if tenant.status == Tenant.Status.DELETING:
        raise NotRestorable("The tenant is being deleted: restore into a new one.")
    return tenant


def _check_stays(tenant: Tenant) -> None:
    if TenantMove.objects.filter(tenant=tenant, finished_at=None).exists():
        raise NotRestorable("The tenant is on the move: finish that first, or give it up.")


def _place(cursor: Cursor, tenant_id: UUID) -> Place:
    cursor.execute(_HOME, [tenant_id])
    ((schema,),) = cursor.fetchall()
    return Place(tenant_id, str(schema))


@transaction.atomic
def _opened(tenant_id: UUID, manifest: Manifest, *, by: Actor, now: datetime) -> Tenant:
    """Its people and its door in one commit: nobody meets it without the others."""
    tenant: Tenant = Tenant.objects.select_related("plan").get(pk=tenant_id)
    for user, role in _people(manifest):
        members.ensure_member(tenant=tenant, user=user, role=role, by=by.name, now=now)
    returning.note(tenant_id, now=now)
    founding.open_filled(tenant, by=by.name)
    return tenant


def _people(manifest: Manifest) -> list[tuple[User, Role]]:
    """Whom the new tenant lets in. Nobody who has been shut out since is let in again."""
    if tenants.there().filter(pk=manifest.origin.tenant).exists():
        rows = Membership.objects.filter(tenant_id=manifest.origin.tenant, is_active=True)
        return [(row.user, Role(row.role)) for row in rows.select_related("user")]
    roles = {person.id: person.role for person in manifest.people if person.role}
    known = User.objects.filter(pk__in=roles, is_active=True).order_by("pk")
    return [(user, Role(roles[user.pk])) for user in known]


def _not_copied() -> frozenset[str]:
    return frozenset(apps.get_model(label)._meta.db_table for label in settings.BACKUPS_NOT_COPIED)
