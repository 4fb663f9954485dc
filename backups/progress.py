"""How far restorations are: each stands in a row, where its tenant, its owner and the staff look.

The row says what is done, and shuts nobody out: that is the fence's (decision 39). The backup of
the state before is written into it by the very commit that exchanges the rows: one that has it is
of a tenant that was put back, and fails no more, whatever comes.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone

from backups.archive.entry import Entry
from backups.errors import NotRestored, RestorationUnderWay, Unfinished, code_of
from backups.models import Backup, Restoration
from tenants.backend.routers import OWNER_ALIAS
from tenants.context import Actor

Status = Restoration.Status
ON_RECORD = "exchanged, and on record"  # the platform's
# Between the row and the lock that its runner holds from then on.
_FRESH = timedelta(minutes=1)


def begun(entry: Entry, *, by: Actor, now: datetime) -> Restoration | None:
    """One that nobody has asked for but who does it; None of a backup that the database has lost.

    Called by who is alone at the tenant, and has ended what seemed to run. Raises
    RestorationUnderWay for one that somebody waits for.
    """
    if not Backup.objects.filter(pk=entry.backup).exists():
        return None
    started = Restoration(
        tenant_id=entry.tenant,
        backup_id=entry.backup,
        status=Status.RUNNING,
        asked_by_id=by.user_id,
        asked_at=now,
        begun_at=now,
    )
    try:
        with transaction.atomic():
            started.save(force_insert=True)
    except IntegrityError as fault:
        raise RestorationUnderWay from fault
    return started


@contextmanager
def kept(restoration: Restoration | None) -> Iterator[None]:
    """What breaks it off stands with it. Raises Unfinished in its place, once rows are exchanged:
    a timer does the rest then."""
    try:
        yield
    except Exception as fault:
        if restoration and not fail(restoration, code_of(fault), now=timezone.now()):
            restoration.refresh_from_db()
            if restoration.undo_id:
                raise Unfinished from fault
        raise


def note(restoration: Restoration | None, step: str) -> None:
    """The last thing that was done."""
    if restoration is not None:
        _write(restoration, step=step[:120])


def is_on_record(restoration: Restoration | None) -> bool:
    return restoration is not None and restoration.step == ON_RECORD


def exchanged(restoration: Restoration | None, *, undo: UUID) -> None:
    """In the owner's transaction that exchanges the rows, as its last step: from then on whoever
    would end it waits for the commit. Raises NotRestored for one that was ended meanwhile."""
    if restoration is None:
        return
    running = Restoration.objects.using(OWNER_ALIAS).filter(pk=restoration.pk, undo_id=None)
    if not running.filter(status=Status.RUNNING).update(undo_id=undo, step="exchanged"):
        raise NotRestored("Somebody else has ended this restoration.")
    restoration.undo_id, restoration.step = undo, "exchanged"


def fail(restoration: Restoration, fault: str, *, now: datetime) -> bool:
    """Gives whether it was still to be ended so: one whose rows are exchanged is not."""
    running = Restoration.objects.filter(pk=restoration.pk, status=Status.RUNNING, undo_id=None)
    return bool(running.update(status=Status.FAILED, fault=fault, finished_at=now))


def done(restoration: Restoration | None) -> None:
    if restoration is not None:
        _write(restoration, status=Status.DONE, finished_at=timezone.now())


def left(*, now: datetime) -> QuerySet[Restoration]:
    """What seems to run, and is no longer so young that its runner may not have its lock yet."""
    return Restoration.objects.filter(status=Status.RUNNING, begun_at__lt=now - _FRESH)


def running(tenant_id: UUID) -> QuerySet[Restoration]:
    return Restoration.objects.filter(tenant_id=tenant_id, status=Status.RUNNING)


def _write(restoration: Restoration, **changes: Any) -> None:
    for name, value in changes.items():
        setattr(restoration, name, value)
    restoration.save(update_fields=list(changes))
