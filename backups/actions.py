"""What may be done with backups, on the platform."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction

from accounts.trail import actions as trail
from backups import catalogue, queries, taking
from backups.archive.entry import Entry
from backups.errors import NoBackup
from backups.models import Backup
from backups.snapshot import Instant
from backups.storage import place
from tenants.models import Tenant

Status, Reason = Backup.Status, Backup.Reason
# After which a backup that is still `running`, or an unfinished file, is nobody's any more.
BROKEN_OFF = timedelta(hours=6)


def take(
    *, tenant: Tenant, reason: str, by: str, now: datetime, instant: Instant | None = None
) -> Backup:
    """Take a backup of the tenant as it is, or was at an instant, whatever its status; `by` is an
    actor's name.

    Called outside of any transaction, since another log-in reads what has been committed. Raises
    BackupKeysMissing, NoBackupLogIn, RowsMissing or what the storage raises; none of these leaves
    an archive that counts.
    """
    begun = Backup(
        tenant_id=tenant.id, slug=tenant.slug, reason=Reason(reason), asked_by=by, asked_at=now
    )
    begun.status = Status.RUNNING  # no worker is to take it for one that waits
    with transaction.atomic(durable=True):
        begun.save(force_insert=True)
    return _carried(begun, now=now, instant=instant)


def plan(*, now: datetime) -> list[Backup]:
    """Note the nightly backups that are due, for workers to take; twice notes none twice."""
    noted = []
    for tenant in queries.due(now=now):
        noted.append(
            Backup.objects.create(
                tenant_id=tenant.id,
                slug=tenant.slug,
                reason=Reason.NIGHTLY,
                asked_by="system:backups",
                asked_at=now,
            )
        )
        trail.record("backup.asked", by="system:backups", on=noted[-1])
    return noted


def carry_out(*, backup_id: UUID, now: datetime) -> Backup:
    """Take one that was asked for; one that somebody else is taking, or has, is given as it is.

    Raises NoBackup, and as `take`.
    """
    claimed = Backup.objects.filter(pk=backup_id, status=Status.ASKED).update(status=Status.RUNNING)
    backup = Backup.objects.filter(pk=backup_id).first()
    if backup is None:
        raise NoBackup
    return _carried(backup, now=now) if claimed else backup


def prune(*, now: datetime, dry_run: bool = False) -> list[Backup]:
    """Take away what no plan keeps, and what was broken off; gives the former.

    The archive first: if that is all that is done, the next one does the rest.
    """
    surplus = queries.surplus(now=now)
    if not dry_run:
        for backup in surplus:
            _remove(backup)
        tidy(now=now)
    return surplus


def tidy(*, now: datetime) -> int:
    """End what was broken off, by a kill or a power cut; gives how many backups that were.

    One whose archive got its entry is complete, whether or not anybody lived to note it.
    """
    storage, before = place.chosen(), now - BROKEN_OFF
    storage.sweep(before=before)
    broken_off = Backup.objects.filter(status=Status.RUNNING, asked_at__lt=before)
    for backup in broken_off:
        try:
            entry = catalogue.of(storage, tenant_id=backup.tenant_id, backup_id=backup.id)
        except NoBackup:
            catalogue.remove(storage, tenant_id=backup.tenant_id, backup_id=backup.id)
            _fail(backup, "broken_off", now=now)
        else:
            _complete(backup, entry, now=now)
    return len(broken_off)


def _carried(backup: Backup, *, now: datetime, instant: Instant | None = None) -> Backup:
    """One that is ours alone."""
    try:
        entry = taking.take(
            place.chosen(),
            backup_id=backup.id,
            tenant_id=backup.tenant_id,
            reason=backup.reason,
            instant=instant,
        )
    except Exception as fault:
        _fail(backup, getattr(fault, "code", type(fault).__name__), now=now)
        raise
    _complete(backup, entry, now=now)
    return backup


def _complete(backup: Backup, entry: Entry, *, now: datetime) -> None:
    _step(backup, "backup.taken", Status.COMPLETE, finished_at=now, **entry.facts())


def _fail(backup: Backup, fault: str, *, now: datetime) -> None:
    _step(backup, "backup.failed", Status.FAILED, finished_at=now, fault=fault[:64])


def _remove(backup: Backup) -> None:
    catalogue.remove(place.chosen(), tenant_id=backup.tenant_id, backup_id=backup.id)
    _step(backup, "backup.removed", Status.REMOVED)


def _step(backup: Backup, action: str, status: Backup.Status, **changes: Any) -> None:
    """To another status, once, and on record."""
    was = backup.status
    backup.status = status
    for name, value in changes.items():
        setattr(backup, name, value)
    with transaction.atomic():
        stored = Backup.objects.filter(pk=backup.pk, status__in=(was, Status.RUNNING))
        if stored.update(status=status, **changes):
            after = {"slug": backup.slug, "reason": backup.reason, "fault": backup.fault}
            trail.record(action, by=backup.asked_by, on=backup, after=after)
