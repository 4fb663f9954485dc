"""Celery doors of the events' room."""

from __future__ import annotations

from celery import shared_task
from django.conf import settings

from tenants import queries as tenants
from tenants.tasks import PlatformTask, TenantTask
from trading.notifications import actions


@shared_task(base=TenantTask, name="trading.notifications.tasks.trim_notifications")
def trim_notifications() -> int:
    """Keep the tenant's logs to what is kept of each person's; twice trims nothing twice."""
    return actions.trim(kept=settings.NOTIFICATIONS_KEPT)


@shared_task(base=PlatformTask, name="trading.notifications.tasks.trim_everywhere")
def trim_everywhere() -> None:
    """Send every active tenant its own task."""
    for tenant_id in tenants.active_ids():
        trim_notifications.send_to(tenant_id)
