"""Celery doors of the idempotency keys' room."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from tenants import queries as tenants
from tenants.tasks import PlatformTask, TenantTask
from trading.idempotency import actions


@shared_task(base=TenantTask, name="trading.idempotency.tasks.purge")
def purge() -> int:
    """Forget the tenant's old keys; running it twice forgets nothing twice."""
    return actions.purge(now=timezone.now())


@shared_task(base=PlatformTask, name="trading.idempotency.tasks.purge_everywhere")
def purge_everywhere() -> None:
    """Send every active tenant its own task."""
    for tenant_id in tenants.active_ids():
        purge.send_to(tenant_id)
