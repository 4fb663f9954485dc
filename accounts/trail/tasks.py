"""Celery doors of the platform's trail."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from celery import shared_task

from accounts.trail import anchors, hearing
from tenants import queries as tenants
from tenants.context import Actor
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


@shared_task(base=PlatformTask, name="accounts.trail.tasks.echo")
def echo(
    *,
    tenant_id: str,
    actor: str,
    person_id: str,
    address: str,
    request: str,
    events: list[dict[str, Any]],
) -> None:
    """Write into one tenant's trail what was done on the platform; twice writes it once."""
    by = Actor(actor, UUID(person_id) if person_id else None)
    hearing.write(events, tenant_id=UUID(tenant_id), by=by, address=address, request=request)
