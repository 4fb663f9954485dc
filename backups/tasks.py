"""Celery doors of backups; `CELERY_TASK_ROUTES` leads to workers with the log-ins and keys."""

from __future__ import annotations

from uuid import UUID

from celery import shared_task
from django.utils import timezone

from backups import actions
from tenants.tasks import PlatformTask


@shared_task(base=PlatformTask, name="backups.tasks.take")
def take(backup_id: str) -> None:
    """Take one that was asked for; delivered twice, it is taken once."""
    actions.carry_out(backup_id=UUID(backup_id), now=timezone.now())


@shared_task(base=PlatformTask, name="backups.tasks.take_due")
def take_due() -> None:
    """Have the nightly backups taken that are due."""
    for backup in actions.plan(now=timezone.now()):
        take.delay(str(backup.id))


@shared_task(base=PlatformTask, name="backups.tasks.prune")
def prune() -> None:
    """Take away what no plan keeps."""
    actions.prune(now=timezone.now())
