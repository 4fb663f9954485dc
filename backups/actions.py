"""What may be done with backups, on the platform."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction

from accounts.trail import actions as trail
from backups import catalogue, erasing, holding, queries, taking
from backups.archive.entry import Entry
from backups.errors import NoBackup, TakenByAnother, code_of
from backups.holding import Hold
from backups.models import Backup
from backups.snapshot import Instant
from backups.storage import place
from tenants.models import Tenant

Status, Reason = Backup.Status, Backup.Reason
# After which an unfinished file is nobody's any more: a copy of the whole server may take a day.
BROKEN_OFF = timedelta(days=2)
# After which one whose runner was killed is not taken up again: it may be what kills them.
GIVEN_UP = timedelta(hours=6)
_FRESH = timedelta(minutes=1)  # between a row and its hold, where one and the same makes both


def take(
    *, tenant: Tenant, reason: str, by: str, now: datetime, instant: Instant | None = None
) -> Backup:
    """Take a backup of the tenant as it is, or was at an instant, whatever its status; `by` is an
    actor's name.

    Called outside of any transaction, since another log-in reads what has been committed. Raises
    BackupKeysMissing, NoBackupLogIn, RowsMissing, TakenByAnother or what the storage raises; none
    of these leaves an archive that counts.
    """
    begun = Backup(
        tenant_id=tenant.id, slug=tenant.slug, reason=Reason(reason), asked_by=by, asked_at=now
    )
    with transaction.atomic(durable=True):
        begun.save(force_insert=True)
    with holding.held(begun.id) as hold:
        if not _claimed(begun.id):
            raise TakenByAnother
        begun.status = Status.RUNNING
        return _carried(begun, hold, now=now, instant=instant)


@transaction.atomic
def plan(*, now: datetime) -> list[Backup]:
    """Note the nightly backups that are due, for workers to take; twice notes none twice.

    A tenant whose row is locked is passed over: whoever plans beside us has it, and a timer comes
    again.
    """
    due = Tenant.objects.filter(pk__in=[tenant.pk for tenant in queries.due(now=now)])
    locked = due.order_by("pk").select_for_update(no_key=True, skip_locked=True)
    ours = set(locked.values_list("pk", flat=True))
    return [_planned(tenant, now=now) for tenant in queries.due(now=now) if tenant.pk in ours]


def carry_out(*, backup_id: UUID, now: datetime) -> Backup:
    """Take one that was asked for, or whose runner was killed; one that somebody else is taking, or
    has, is given as it is.

    Raises NoBackup, and as `take`.
    """
    with holding.held(backup_id) as hold:
        is_ours = _claimed(backup_id) or _taken_over(backup_id, hold, now=now)
        backup = Backup.objects.filter(pk=backup_id).first()
        if backup is None:
            raise NoBackup
        return _carried(backup, hold, now=now) if is_ours else backup


def prune(*, now: datetime, dry_run: bool = False) -> list[Backup]:
    """Take away what no plan keeps, the keys of who has no archive left, and what was broken off;
    gives the first.

    The archive first: if that is all that is done, the next one does the rest.
    """
    surplus = queries.surplus(now=now)
    if not dry_run:
        for backup in surplus:
            _remove(backup)
        erasing.erase()
        take_up(now=now)
        place.chosen().sweep(before=now - BROKEN_OFF)
    return surplus


def take_up(*, now: datetime) -> int:
    """See to those whose runner was killed, by whatever; gives how many there were.

    One whose archive got its entry is complete, whether or not anybody lived to note it. Of the
    others what any worker can take waits again, and what was a part of somebody's work has failed.
    """
    found = queries.maybe_broken_off(made_before=now - _FRESH)
    return sum(_taken_up(backup, now=now) for backup in found)


def _planned(tenant: Tenant, *, now: datetime) -> Backup:
    noted = Backup.objects.create(
        tenant_id=tenant.id,
        slug=tenant.slug,
        reason=Reason.NIGHTLY,
        asked_by="system:backups",
        asked_at=now,
    )
    trail.record("backup.asked", by="system:backups", on=noted)
    return noted


def _claimed(backup_id: UUID) -> bool:
    """Held before: what is `running` and not held has lost its runner."""
    asked = Backup.objects.filter(pk=backup_id, status=Status.ASKED)
    return bool(asked.update(status=Status.RUNNING))


def _taken_over(backup_id: UUID, hold: Hold, *, now: datetime) -> bool:
    """Whether it has lost its runner, and is to be taken up by us."""
    rows = Backup.objects.of_workers().filter(pk=backup_id, asked_at__gt=now - GIVEN_UP)
    return rows.exists() and hold.is_alone(Status.RUNNING)


def _taken_up(backup: Backup, *, now: datetime) -> bool:
    with holding.held(backup.pk) as hold:
        if not hold.is_alone(backup.status):
            return False
        if entry := _entry(backup):
            _complete(backup, entry, now=now)
        elif backup.is_of_workers and backup.asked_at > now - GIVEN_UP:
            _step(backup, "backup.asked_again", Status.ASKED)
        else:
            catalogue.remove(place.chosen(), tenant_id=backup.tenant_id, backup_id=backup.id)
            _fail(backup, "broken_off", now=now)
    return True


def _entry(backup: Backup) -> Entry | None:
    """What a runner before has left, if that counts."""
    try:
        return catalogue.of(place.chosen(), tenant_id=backup.tenant_id, backup_id=backup.id)
    except catalogue.UNFIT:
        return None


def _carried(
    backup: Backup, hold: Hold, *, now: datetime, instant: Instant | None = None
) -> Backup:
    """One that is ours alone, for as long as the hold lasts: after that it is not ours to end."""
    try:
        entry = _entry(backup) or taking.take(
            place.chosen(),
            backup_id=backup.id,
            tenant_id=backup.tenant_id,
            reason=backup.reason,
            check=hold.check,
            instant=instant,
        )
    except Exception as fault:
        if hold.lasts:
            _fail(backup, code_of(fault), now=now)
        raise
    _complete(backup, entry, now=now)
    return backup


def _complete(backup: Backup, entry: Entry, *, now: datetime) -> None:
    _step(backup, "backup.taken", Status.COMPLETE, finished_at=now, **entry.facts())


def _fail(backup: Backup, fault: str, *, now: datetime) -> None:
    _step(backup, "backup.failed", Status.FAILED, finished_at=now, fault=fault)


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
