"""How far restorations are: each stands in a row, where its tenant, its owner and the staff look.

The row says what is done, and shuts nobody out: that is the fence's (decision 39).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone

from backups.archive.entry import Entry
from backups.errors import RestorationUnderWay
from backups.models import Backup, Restoration
from tenants.context import Actor
from tenants.lifecycle.errors import SchemasInUse
from tenants.moving import exclusion
from tenants.moving.errors import MoveUnderWay

Status = Restoration.Status
# Between the row and the lock that its runner holds from then on.
_FRESH = timedelta(minutes=1)


def begun(entry: Entry, *, by: Actor, now: datetime) -> Restoration | None:
    """One that nobody has asked for but who does it; None of a backup that the database has lost.

    Called by who is alone at the tenant: what seems to run was broken off. Raises
    RestorationUnderWay for one that somebody waits for.
    """
    running = Restoration.objects.filter(tenant_id=entry.tenant, status=Status.RUNNING)
    running.update(**_broken_off(now))
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
    """What breaks it off stands with it."""
    try:
        yield
    except Exception as fault:
        _end(restoration, Status.FAILED, fault=_code(fault))
        raise


def note(restoration: Restoration | None, step: str) -> None:
    """The last thing that was done."""
    if restoration is not None:
        _write(restoration, step=step[:120])


def done(restoration: Restoration | None, *, undo: UUID | None) -> None:
    _end(restoration, Status.DONE, undo_id=undo)


def end_broken_off(*, now: datetime) -> int:
    """End those whose runner was killed; gives how many. Whether one lives is found out by its
    lock, which went with it. Raises OwnerLoginMissing."""
    ended = 0
    for left in Restoration.objects.filter(status=Status.RUNNING, begun_at__lt=now - _FRESH):
        try:
            with exclusion.nobody_else(left.tenant_id):
                ended += _end_if_running(left, now=now)
        except (MoveUnderWay, SchemasInUse):
            continue
    return ended


def _end_if_running(left: Restoration, *, now: datetime) -> int:
    still = Restoration.objects.filter(pk=left.pk, status=Status.RUNNING)
    return still.update(**_broken_off(now))


def _broken_off(now: datetime) -> dict[str, Any]:
    return {"status": Status.FAILED, "fault": "broken_off", "finished_at": now}


def _end(restoration: Restoration | None, status: Restoration.Status, **said: Any) -> None:
    if restoration is not None:
        _write(restoration, status=status, finished_at=timezone.now(), **said)


def _write(restoration: Restoration, **changes: Any) -> None:
    for name, value in changes.items():
        setattr(restoration, name, value)
    restoration.save(update_fields=list(changes))


def _code(fault: Exception) -> str:
    return str(getattr(fault, "code", type(fault).__name__))[:64]
