"""What people in charge of a tenant may do with its backups: ask, inside the tenant.

A row is the order, the message to a worker only carries it: one that is lost is sent again.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from math import ceil
from uuid import UUID

from django.db.models import Q, QuerySet

from accounts import sealing
from accounts.audit import actions as audit
from backups import catalogue, tasks
from backups.archive.keys import LentKey
from backups.errors import ExportNotReady, NoBackup, RestorationUnderWay, TooManyBackups
from backups.models import Backup, Restoration
from backups.retention import FRESH
from backups.storage import place
from backups.takeout import opened, sealed
from backups.takeout.parcel import Parcel
from config.api.ranges import Wanted
from tenants import afterwards, context
from tenants.identity import Identity
from tenants.models import Tenant

Status, Reason = Backup.Status, Backup.Reason
A_DAY = 6  # of one tenant: none of them goes within a day, and all take their turn with the others'
_HOUR = timedelta(hours=1)


def backup(*, now: datetime) -> Backup:
    """Ask for a backup of the entered tenant; while one waits or is being taken it is that one, and
    one whose runner was killed waits again.

    Raises TooManyBackups.
    """
    entered = context.require()
    theirs = Backup.objects.filter(tenant_id=entered.tenant_id)
    # The first of all, which is always there: of two who ask at once one waits for the other.
    theirs.order_by("asked_at", "id").select_for_update(no_key=True).first()
    lost = list(theirs.filter(status=Status.RUNNING).select_for_update(skip_locked=True))
    if again := next((each for each in lost if each.is_of_workers), None):
        return _again(again)
    open_ones = theirs.filter(
        Q(status=Status.RUNNING) | Q(status=Status.ASKED, reason__in=Backup.OF_WORKERS)
    )
    if under_way := open_ones.exclude(pk__in=[each.pk for each in lost]).first():
        return under_way
    _check_share(theirs, now=now)
    asked = Backup.objects.create(
        tenant_id=entered.tenant_id,
        slug=Tenant.objects.values_list("slug", flat=True).get(pk=entered.tenant_id),
        reason=Reason.ASKED,
        asked_by=entered.actor.name,
        asked_at=now,
    )
    audit.record("backup.asked", on=asked)
    afterwards.do(partial(tasks.take.delay, str(asked.id)))
    return asked


def restoration(*, backup_id: UUID, by: Identity, now: datetime) -> Restoration:
    """Ask for the entered tenant to be put back to a backup of its own.

    Raises NoBackup for one that is not complete, RestorationUnderWay: one at a time.
    """
    of = _complete(backup_id, by)
    if Restoration.objects.under_way().filter(tenant_id=by.tenant_id).exists():
        raise RestorationUnderWay
    asked = Restoration.objects.create(
        tenant_id=by.tenant_id, backup=of, asked_by_id=by.user_id, asked_at=now
    )
    audit.record("backup.restore_asked", on=of)
    afterwards.do(partial(tasks.restore.delay, str(asked.id)))
    return asked


def download(*, backup_id: UUID, by: Identity, wanted: Wanted) -> Parcel:
    """A backup as it is kept, or a part of that: sealed, to be kept elsewhere and handed back.

    The storage is asked before the database: no transaction waits for a network. Raises NoBackup,
    RangeNotSatisfiable, and what the storage raises.
    """
    storage = place.chosen()
    whole = sealed.whole(storage, tenant_id=by.tenant_id, backup_id=backup_id)
    part = wanted.part(whole.size, whole.tag)
    with ExitStack() as held:
        parcel = sealed.parcel(storage, whole, part)
        held.callback(parcel.close)
        asked = _complete(backup_id, by)
        if not wanted.is_content:
            return replace(parcel, blocks=iter(()))
        after = {"first": part.start, "last": part.stop - 1} if part else None
        audit.record("backup.downloaded", on=asked, after=after)
        held.pop_all()
        return parcel


def export(*, backup_id: UUID, by: Identity, now: datetime) -> Backup:
    """Ask for a backup to be opened for reading; while it is, or was asked for, it stays so.

    Raises NoBackup.
    """
    asked = _complete(backup_id, by)
    is_lent = asked.export_until is not None and asked.export_until > now
    if is_lent or (asked.export_asked_at is not None and asked.export_until is None):
        return asked
    asked.export_asked_at, asked.export_until, asked.sealed_key = now, None, None
    asked.save(update_fields=["export_asked_at", "export_until", "sealed_key"])
    audit.record("backup.export_asked", on=asked)
    afterwards.do(partial(tasks.lend.delay, str(asked.pk)))
    return asked


def exported(*, backup_id: UUID, by: Identity, now: datetime) -> Parcel:
    """The rows of a backup for others to read, while its key is lent.

    Raises NoBackup, ExportNotReady, and what the storage raises; see `download`.
    """
    name = place.archive(by.tenant_id, backup_id)
    with ExitStack() as held:
        source = held.enter_context(catalogue.file(place.chosen(), name))
        asked = _complete(backup_id, by)
        if asked.sealed_key is None or asked.export_until is None or asked.export_until <= now:
            raise ExportNotReady(headers={"Retry-After": "2"})
        key = LentKey(sealing.unseal(asked.sealed_key, purpose=asked.purpose))
        at = asked.taken_at or now
        audit.record("backup.exported", on=asked)
        blocks = opened.zipped(source, key, at=at)
        return Parcel(f"{asked.slug}-{at:%Y%m%dT%H%M%SZ}.zip", blocks, None, held.pop_all())


def _again(lost: Backup) -> Backup:
    """Nobody holds it: it has lost its runner (`backups/holding.py`)."""
    lost.status = Status.ASKED
    lost.save(update_fields=["status"])
    audit.record("backup.asked", on=lost)
    afterwards.do(partial(tasks.take.delay, str(lost.id)))
    return lost


def _check_share(theirs: QuerySet[Backup], *, now: datetime) -> None:
    """What failed left nothing, and what an operator asked for is not theirs."""
    asked = theirs.filter(reason=Reason.ASKED, asked_at__gt=now - FRESH)
    counted = asked.exclude(status=Status.FAILED).exclude(asked_by__startswith="system:")
    moments = list(counted.order_by("-asked_at").values_list("asked_at", flat=True)[:A_DAY])
    if len(moments) == A_DAY:
        wait = moments[-1] + FRESH - now
        raise TooManyBackups(
            f"{A_DAY} within 24 hours: ask again in {ceil(wait / _HOUR)} h, or use one of those.",
            headers={"Retry-After": str(ceil(wait.total_seconds()))},
        )


def _complete(backup_id: UUID, by: Identity) -> Backup:
    """One of the caller's tenant. Raises NoBackup for one that is not complete."""
    rows = Backup.objects.filter(pk=backup_id, tenant_id=by.tenant_id, status=Status.COMPLETE)
    found = rows.first()
    if found is None:
        raise NoBackup
    return found
