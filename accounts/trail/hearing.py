"""What a tenant's trail is told of what was done on the platform; `echoes.py` sends it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from accounts.audit import actions as audit
from config.logs import request_id
from tenants import context, origin
from tenants.context import Actor, Scope, TenantContext
from tenants.errors import TenantRestoring, TenantSuspended, UnknownTenant


def write(
    events: list[dict[str, Any]], *, tenant_id: UUID, by: Actor, address: str, request: str
) -> None:
    """Into the tenant's trail, unless it is there; a tenant that is closed is told nothing.

    Raises TenantRestoring: told later.
    """
    came_from, asked_in = origin.address.set(address), request_id.set(request)
    where = TenantContext(tenant_id, by, Scope.USER if by.user_id else Scope.TENANT)
    try:
        with context.enter(where):
            for event in events:
                audit.record(**{**event, "event_id": UUID(event["event_id"])})
    except TenantRestoring:
        raise
    except (TenantSuspended, UnknownTenant):
        return
    finally:
        request_id.reset(asked_in)
        origin.address.reset(came_from)
