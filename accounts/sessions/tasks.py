"""Celery doors of the sessions' room."""

from __future__ import annotations

from uuid import UUID

from celery import shared_task
from django.utils import timezone

from accounts.sessions import actions, lockouts
from tenants.tasks import PlatformTask


@shared_task(base=PlatformTask, name="accounts.sessions.tasks.purge")
def purge() -> None:
    """Delete what was over a month ago; running it twice deletes nothing twice."""
    actions.purge(by="system:purge_sessions", now=timezone.now())


@shared_task(base=PlatformTask, name="accounts.sessions.tasks.tell_tenants")
def tell_tenants(user_id: str, address: str, because: str) -> None:
    """Empty for nobody: that too is sent, so that unknown and known take the same way."""
    if user_id:
        lockouts.tell_tenants(user_id=UUID(user_id), address=address, because=because)
