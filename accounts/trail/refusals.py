"""Refusals on record: each once an hour, and no more of them all than a trail can bear.

Whoever is refused can ask again, and must not fill the disk with it. The log has a line for each.
"""

from __future__ import annotations

import hashlib
from typing import Any

from accounts.audit import actions as audit
from accounts.trail import actions as trail
from tenants import context, valkey, windows
from tenants.context import TenantContext
from tenants.errors import TenantSuspended, UnknownTenant

_HOUR = 3600  # seconds
# Entries an hour: some 400 bytes each, so 1 GB a year on the platform when an attack never ends.
_OF_PLATFORM = 300
_OF_TENANT = 60


def is_first(*refusal: object) -> bool:
    """Whether this one, by what tells it from others, is new within the hour. Raises ValkeyAway."""
    name = hashlib.sha256("|".join(map(str, refusal)).encode()).hexdigest()[:32]
    with valkey.needed() as client:
        return bool(client.set(f"refused:{name}", 1, nx=True, ex=_HOUR))


def on_platform(action: str, *, by: str, **said: Any) -> None:
    """Into the platform's trail, while it has room. Raises ValkeyAway."""
    if _has_room("platform", _OF_PLATFORM):
        trail.record(action, by=by, **said)


def in_tenant(where: TenantContext, action: str, **said: Any) -> None:
    """Into a tenant's trail, while it has room; of one that is closed, into the platform's.

    Called outside of every tenant. Raises ValkeyAway.
    """
    if not _has_room(f"tenant:{where.tenant_id}", _OF_TENANT):
        return
    try:
        with context.enter(where):
            audit.record(action, **said)
    except (TenantSuspended, UnknownTenant):
        on_platform(action, by=where.actor.name, **said)


def _has_room(trail_of: str, at_most: int) -> bool:
    """Count one more entry of this hour."""
    [so_far] = windows.count(f"refusals:{trail_of}", seconds=_HOUR)
    return so_far.times <= at_most
