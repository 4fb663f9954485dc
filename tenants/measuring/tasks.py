"""Celery doors of the measuring room."""

from __future__ import annotations

from uuid import UUID

from celery import shared_task
from django.utils import timezone

from tenants.measuring import actions, queries
from tenants.tasks import PlatformTask


@shared_task(base=PlatformTask, name="tenants.measuring.tasks.measure")
def measure(tenant_id: str) -> None:
    """Count what one tenant has; the platform's, since its table is what is written."""
    actions.measure(tenant_id=UUID(tenant_id), now=timezone.now())


@shared_task(base=PlatformTask, name="tenants.measuring.tasks.measure_again")
def measure_again(tenant_id: str) -> None:
    """The same before its hour, for one that was full."""
    actions.measure_again(tenant_id=UUID(tenant_id), now=timezone.now())


@shared_task(base=PlatformTask, name="tenants.measuring.tasks.measure_everywhere")
def measure_everywhere() -> None:
    """Send a task for each tenant whose turn it is."""
    for tenant_id in queries.due(now=timezone.now()):
        measure.delay(str(tenant_id))
