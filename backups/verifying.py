"""Whether backups can be put back: each in its turn is, beside the live rows, and taken away again.

It comes as far as a restore does before the exchange: opened and read to its end, put into
temporary tables, read out again to the byte, and no row refers to one that is not there.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import transaction

from accounts.trail import actions as trail
from backups import catalogue, staging
from backups.archive.manifest import Manifest
from backups.errors import NoBackup, NotRestored, OtherShape
from backups.models import Backup
from backups.storage import place

# What is wrong with the backup: its archive, or what comes of putting that back.
UNFIT = (*catalogue.UNFIT, NotRestored, OtherShape)
_BY = "system:backups"


def verify(*, backup_id: UUID, now: datetime, unless_since: datetime | None = None) -> Backup:
    """Look at one, note what was found, and give it with that.

    One that was looked at after `unless_since` is given as it is: a message may come twice. Raises
    NoBackup where there is none, and what is no fault of its own: nothing is noted then.
    """
    backup = Backup.objects.filter(pk=backup_id, status=Backup.Status.COMPLETE).first()
    if backup is None:
        raise NoBackup
    if unless_since and backup.verified_at and backup.verified_at > unless_since:
        return backup
    try:
        _put_beside(backup)
    except UNFIT as fault:
        _note(backup, fault.code, now=now)
    else:
        _note(backup, "", now=now)
    return backup


def _put_beside(backup: Backup) -> Manifest:
    """Raises those of UNFIT, and what storage and database raise."""
    storage = place.chosen()
    entry = catalogue.of(storage, tenant_id=backup.tenant_id, backup_id=backup.id)
    with catalogue.reading(storage, entry) as reader, staging.staged(reader) as manifest:
        staging.check_references()
    catalogue.check_entry(entry, manifest)
    return manifest


def _note(backup: Backup, fault: str, *, now: datetime) -> None:
    backup.verified_at, backup.verified_fault = now, fault
    with transaction.atomic():
        backup.save(update_fields=["verified_at", "verified_fault"])
        action = "backup.unfit" if fault else "backup.verified"
        trail.record(action, by=_BY, on=backup, after={"slug": backup.slug, "fault": fault})
