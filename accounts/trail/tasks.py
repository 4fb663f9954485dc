"""Celery doors of the platform's trail."""

from __future__ import annotations

from uuid import UUID

from celery import shared_task

from accounts.trail import anchors
from tenants import queries as tenants
from tenants.tasks import PlatformTask


@shared_task(base=PlatformTask, name="accounts.trail.tasks.anchor")
def anchor(tenant_id: str) -> None:
    """Keep the end of one tenant's chain; twice keeps it once."""
    anchors.take(UUID(tenant_id))


@shared_task(base=PlatformTask, name="accounts.trail.tasks.anchor_everywhere")
def anchor_everywhere() -> None:
    """Send a task for every active tenant. The platform's, since its trail is what is written."""
    for tenant_id in tenants.active_ids():
        anchor.delay(str(tenant_id))
