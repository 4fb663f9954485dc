"""The emergency lock: data answers 503, log-in and health stay open.

The database remembers it, Valkey holds the door: an emptied Valkey is told again by `recall`.
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from tenants import admission, door, trail
from tenants.models import EmergencyLock, Tenant


def lock(*, tenant: Tenant | None, by: str, now: datetime) -> None:
    """Close one tenant's data, or with None everybody's. Raises ValkeyAway."""
    with transaction.atomic():
        EmergencyLock.objects.get_or_create(tenant=tenant, defaults={"at": now})
        _record("locked", tenant, by)
        admission.lock(tenant.id if tenant else None)


def unlock(*, tenant: Tenant | None, by: str) -> None:
    """Open it again. Raises ValkeyAway."""
    with transaction.atomic():
        EmergencyLock.objects.filter(tenant=tenant).delete()
        _record("unlocked", tenant, by)
    door.unlock(tenant.id if tenant else None)


def _record(what: str, tenant: Tenant | None, by: str) -> None:
    key = tenant.slug if tenant else ""
    kind = "tenant" if tenant else "platform"
    trail.record(f"{kind}.{what}", by=by, kind=kind, key=key)
