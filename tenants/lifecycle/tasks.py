"""Celery doors of what takes several steps; the operator's worker opens them."""

from __future__ import annotations

from uuid import UUID

from celery import shared_task
from django.utils import timezone

from tenants.lifecycle import workflow
from tenants.tasks import PlatformTask

_FRESH = 60  # seconds: what nobody has fetched by then, the timer sends again


@shared_task(base=PlatformTask, name="tenants.lifecycle.tasks.carry_on")
def carry_on(workflow_id: str) -> None:
    """Do what is left of one workflow; twice, or two at once, do it once."""
    workflow.carry_on(UUID(workflow_id), now=timezone.now())


@shared_task(base=PlatformTask, name="tenants.lifecycle.tasks.take_up")
def take_up() -> None:
    """Send a task for each workflow that stands still."""
    for found in workflow.due(now=timezone.now()):
        carry_on.apply_async((str(found.pk),), expires=_FRESH)
