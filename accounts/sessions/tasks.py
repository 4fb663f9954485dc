"""Celery doors of the sessions' room."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from accounts.sessions import actions
from tenants.tasks import PlatformTask


@shared_task(base=PlatformTask, name="accounts.sessions.tasks.purge")
def purge() -> None:
    """Delete what was over a month ago; running it twice deletes nothing twice."""
    actions.purge(by="system:purge_sessions", now=timezone.now())
