"""A new tenant and the person it belongs to, in one go."""

from __future__ import annotations

from datetime import datetime

from accounts.access import actions as access
from accounts.access.roles import Role
from accounts.users import actions as users
from tenants.lifecycle import actions as lifecycle
from tenants.models import Tenant


def create_tenant_for(
    *, slug: str, tier: str, owner_email: str, password: str, region: str, now: datetime
) -> Tenant:
    """A tenant with its owner, who is made when unknown. Raises what `create_tenant` raises."""
    tenant = lifecycle.create_tenant(slug=slug, name=slug, tier=tier, region=region, now=now)
    owner = users.ensure(email=owner_email, password=password, now=now)
    access.ensure_member(tenant=tenant, user=owner, role=Role.OWNER, now=now)
    return tenant
