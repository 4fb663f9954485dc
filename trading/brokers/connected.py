"""Which tenants have accounts with keys to an exchange, in Valkey: whom a timer has to look after.

A tenant too many does no harm, and one too few must not be: it is noted before its keys are
committed. The set is rebuilt from the database when Valkey has lost it.
"""

from __future__ import annotations

import logging
from typing import Any
from uuid import UUID

from tenants import context, valkey
from tenants import queries as tenants
from tenants.context import Actor, Scope, TenantContext
from tenants.errors import TenantSuspended, UnknownTenant
from trading.brokers.models import ExchangeCredential

_TENANTS = "venues:tenants"
_COMPLETE = "venues:complete"
_KEEPER = Actor.system("connected-tenants")
_log = logging.getLogger("bulkhead.venues")


def note() -> None:
    """Note the entered tenant. Raises ValkeyAway."""
    with valkey.needed() as client:
        client.sadd(_TENANTS, str(context.require().tenant_id))


def forget(tenant_id: UUID) -> None:
    """Of a tenant that is deleted. Raises ValkeyAway."""
    with valkey.needed() as client:
        client.srem(_TENANTS, str(tenant_id))


def tenant_ids() -> list[UUID]:
    """Every such tenant, and perhaps more; outside all tenants. Raises ValkeyAway."""
    with valkey.needed() as client:
        if not client.exists(_COMPLETE):
            _rebuild()
        members: Any = client.smembers(_TENANTS)
    return sorted(UUID(member.decode()) for member in members)


def _rebuild() -> None:
    for tenant_id in tenants.active_ids():
        try:
            with context.enter(TenantContext(tenant_id, _KEEPER, Scope.TENANT)):
                if ExchangeCredential.objects.exists():
                    note()
        except (TenantSuspended, UnknownTenant):
            _log.info("tenant %s left while the connected ones were noted", tenant_id)
    with valkey.needed() as client:
        client.set(_COMPLETE, 1)
