"""The catalogue read back from the storage, after the database has lost what it knew."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction

from accounts.trail import actions as trail
from backups import catalogue
from backups.archive.entry import Entry
from backups.archive.errors import UnknownFormat
from backups.models import Backup
from backups.storage import place
from backups.storage.interface import Storage
from tenants.identifiers import made_at

Report = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Recalled:
    """The backups that are known again, and what was refused: its name in the storage, and the code
    of what is wrong with it."""

    backups: tuple[UUID, ...]
    refused: dict[str, str]


def recall(*, by: str, now: datetime, report: Report, dry_run: bool = False) -> Recalled:
    """Have the database know again what it does not, of all that counts in the storage.

    Each is read to its end before: signed and sealed by its tenant's key, of that tenant, and the
    archive that its entry is of. What is not is refused, and the others go on. Raises
    BackupKeysMissing, and what the storage raises.
    """
    storage = place.chosen()
    known = set(Backup.objects.values_list("id", flat=True))
    recalled, refused = [], {}
    for name in catalogue.unknown(storage, known):
        try:
            entry = _whole(storage, name)
        except catalogue.UNFIT as fault:
            refused[name] = fault.code
            report(f"{name}: refused, {fault.code}: {fault.detail}")
            continue
        if dry_run or _note(entry, by=by, now=now):
            recalled.append(entry.backup)
            report(f"{entry.slug}: {entry.backup} of {entry.taken_at:%Y-%m-%d %H:%M:%S}")
    return Recalled(tuple(recalled), refused)


def _whole(storage: Storage, name: str) -> Entry:
    """Raises those of `catalogue.UNFIT`, and what the storage raises."""
    entry = catalogue.read(storage, name)
    if entry.reason not in Backup.Reason.values:
        raise UnknownFormat(f"It was taken for a reason of another release: {entry.reason!r}.")
    catalogue.check(storage, entry)
    return entry


def _note(entry: Entry, *, by: str, now: datetime) -> bool:
    """Gives whether nobody else has, meanwhile."""
    with transaction.atomic():
        backup, is_new = Backup.objects.get_or_create(
            pk=entry.backup,
            defaults={
                "tenant_id": entry.tenant,
                "slug": entry.slug,
                "reason": Backup.Reason(entry.reason),
                "status": Backup.Status.COMPLETE,
                "asked_by": by,
                "asked_at": made_at(entry.backup),
                "finished_at": now,
                **entry.facts(),
            },
        )
        if is_new:
            after = {"slug": backup.slug, "reason": backup.reason, "taken_at": backup.taken_at}
            trail.record("backup.recalled", by=by, on=backup, after=after)
    return is_new
