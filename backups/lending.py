"""The key of one archive, lent for an hour: with it the web reads out what it has no master key
for (decision 33)."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from accounts import sealing
from accounts.trail import actions as trail
from backups import catalogue
from backups.errors import NoBackup, code_of
from backups.models import Backup
from backups.storage import place

LENT_FOR = timedelta(hours=1)
_BY = "system:backups"
_NOTHING = {"export_asked_at": None, "export_until": None, "sealed_key": None}


def lend(*, backup_id: UUID, now: datetime) -> Backup:
    """Lend the key of a backup that somebody wants to read, once all of it has been read here.

    One that nobody wants, or that is lent already, is given as it is. What cannot be opened is not
    wanted any more. Raises NoBackup, ArchiveUnfit, WrongBackupKey and what the storage raises.
    """
    backup = Backup.objects.filter(pk=backup_id, status=Backup.Status.COMPLETE).first()
    if backup is None:
        raise NoBackup
    if backup.export_asked_at is None or backup.export_until is not None:
        return backup
    storage = place.chosen()
    try:
        entry = catalogue.of(storage, tenant_id=backup.tenant_id, backup_id=backup.id)
        key = catalogue.lent_key(storage, entry)
    except Exception as fault:
        _note(backup, "backup.not_opened", fault=code_of(fault))
        raise
    sealed = sealing.seal(key.secret, purpose=backup.purpose)
    _note(backup, "backup.lent", export_until=now + LENT_FOR, sealed_key=sealed)
    return backup


def take_back(*, now: datetime) -> int:
    """Forget the keys that were lent for long enough; gives how many."""
    with transaction.atomic():
        taken_back = Backup.objects.filter(export_until__lte=now).update(**_NOTHING)
        if taken_back:
            trail.record("backups.taken_back", by=_BY, kind="backups", after={"count": taken_back})
    return taken_back


def _note(backup: Backup, action: str, *, fault: str = "", **changes: object) -> None:
    """Unless somebody else has, meanwhile."""
    changes = changes or dict(_NOTHING)
    with transaction.atomic():
        if Backup.objects.filter(pk=backup.pk, export_until=None).update(**changes):
            after = {"slug": backup.slug, "fault": fault}
            trail.record(action, by=_BY, on=backup, after=after)
    backup.refresh_from_db()
