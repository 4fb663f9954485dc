"""Celery doors of backups; `CELERY_TASK_ROUTES` leads to workers with the log-ins and keys."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from backups import actions, alarms, lending, queries, restoring, settling, verifying
from backups.platform import actions as platform
from backups.platform import standing
from backups.platform.phases import Phases
from tenants.tasks import PlatformTask

_BY = "system:backups"
_NIGHT = timedelta(hours=12)
_log = logging.getLogger("bulkhead.backups")


@shared_task(base=PlatformTask, name="backups.tasks.take")
def take(backup_id: str) -> None:
    """Take one that was asked for; delivered twice, it is taken once, unless whoever took it was
    killed."""
    actions.carry_out(backup_id=UUID(backup_id), now=timezone.now())


@shared_task(base=PlatformTask, name="backups.tasks.take_due")
def take_due() -> None:
    """Have taken what is due tonight, and what else waits: messages are lost, workers killed."""
    actions.take_up(now=timezone.now())
    actions.plan(now=timezone.now())
    for backup_id in queries.waiting():
        take.delay(str(backup_id))
    for restoration_id in queries.waiting_restorations():
        restore.delay(str(restoration_id))


@shared_task(base=PlatformTask, name="backups.tasks.restore")
def restore(restoration_id: str) -> None:
    """Put a tenant back as it was asked for; delivered twice, it is done once."""
    restoring.carry_out(restoration_id=UUID(restoration_id), now=timezone.now())


@shared_task(base=PlatformTask, name="backups.tasks.take_up")
def take_up() -> None:
    """End restorations whose runner was killed: what was not exchanged has changed nothing, and for
    what was the rest is done."""
    settling.take_up(now=timezone.now())


@shared_task(base=PlatformTask, name="backups.tasks.lend")
def lend(backup_id: str) -> None:
    """Lend an archive's key for an export that was asked for; delivered twice, it is lent once."""
    lending.lend(backup_id=UUID(backup_id), now=timezone.now())


@shared_task(base=PlatformTask, name="backups.tasks.lend_waiting")
def lend_waiting() -> None:
    """Take back what was lent for long enough, and lend what else waits: a message may be lost."""
    lending.take_back(now=timezone.now())
    for backup_id in queries.waiting_exports():
        lend.delay(str(backup_id))


@shared_task(base=PlatformTask, name="backups.tasks.verify_some")
def verify_some() -> None:
    """Have some tenants' newest backups tried, those first that were tried longest ago."""
    _try_in_turn([str(each) for each in queries.to_try(most=settings.BACKUPS_TRIED_A_NIGHT)])


@shared_task(base=PlatformTask, name="backups.tasks.verify")
def verify(backup_id: str, then: Sequence[str] = ()) -> None:
    """Try one, and tell operators of one that is unfit; delivered twice in a night, once.

    Those that come `then` follow it one by one: there is never more than one message of theirs, so
    that whoever asks the operator for something meanwhile comes next.
    """
    now = timezone.now()
    try:
        found = verifying.verify(backup_id=UUID(backup_id), now=now, unless_since=now - _NIGHT)
        if found.verified_fault and found.verified_at == now:
            alarms.unfit(found)
    finally:
        _try_in_turn(then)


def _try_in_turn(backup_ids: Sequence[str]) -> None:
    if backup_ids:
        verify.delay(backup_ids[0], list(backup_ids[1:]))


@shared_task(base=PlatformTask, name="backups.tasks.prune")
def prune() -> None:
    """Take away what no plan keeps, and what leads to no instant that is kept."""
    actions.prune(now=timezone.now())
    platform.prune(now=timezone.now(), by=_BY)


@shared_task(base=PlatformTask, name="backups.tasks.ship_wal")
def ship_wal() -> None:
    """Bring what the server has laid down of its WAL into the storage."""
    platform.ship()


@shared_task(base=PlatformTask, name="backups.tasks.look_at_server")
def look_at_server() -> None:
    """Write down how the server stands with its copies and its WAL, for who measures it."""
    standing.look()


@shared_task(base=PlatformTask, name="backups.tasks.copy_platform")
def copy_platform() -> None:
    """Tonight's copy of the whole server, once somebody has taken the first."""
    platform.take_due(now=timezone.now(), by=_BY, phases=Phases(_log.info))
