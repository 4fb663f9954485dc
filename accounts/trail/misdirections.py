"""Credentials sent to another tenant's address: on record in the tenant whose they are."""

from __future__ import annotations

from urllib.parse import quote
from uuid import UUID

from accounts.trail import refusals
from tenants import origin
from tenants.context import TenantContext
from tenants.identity import Identity

ACTION = "credential.tenant_mismatch"


def of_caller(caller: Identity, *, path: str) -> None:
    """Somebody's own doing, and in their name. Raises ValkeyAway."""
    note(caller.personal_context(), credential=caller.session_id, path=path)


def note(where: TenantContext, *, credential: UUID, path: str) -> None:
    """Once an hour for each credential (its session or key) and network. Raises ValkeyAway."""
    if refusals.is_first(ACTION, credential, origin.network(origin.address.get())):
        refusals.in_tenant(where, ACTION, kind="request", key=quote(path)[:200])
