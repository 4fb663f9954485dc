"""The one writer of a tenant's trail."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db import models

from accounts.audit.entries import entry
from accounts.audit.models import AuditEvent
from tenants import context


def record(
    action: str,
    *,
    on: models.Model | None = None,
    kind: str = "",
    key: str = "",
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    event_id: UUID | None = None,
) -> None:
    """Write into the entered tenant's trail what its actor has just done.

    It stands or falls with the transaction. An event that comes with its id is written once,
    however often it comes. Raises NoTenantContext outside a tenant.
    """
    actor = context.require().actor
    if event_id and AuditEvent.objects.filter(pk=event_id).exists():
        return
    said = entry(action, on=on, kind=kind, key=key, before=before, after=after)
    event = AuditEvent(actor=actor.name, actor_id=actor.user_id, **said)
    event.id = event_id or event.id
    event.save(force_insert=True)
