"""Celery door of the fleet; the operator's worker opens it."""

from __future__ import annotations

from celery import shared_task

from tenants.fleet import standing
from tenants.tasks import PlatformTask


@shared_task(base=PlatformTask, name="tenants.fleet.tasks.look")
def look() -> None:
    standing.look()
