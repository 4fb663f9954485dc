"""Who a token speaks for."""

from __future__ import annotations

from dataclasses import dataclass

from accounts.access.models import Membership
from accounts.tokens.errors import InvalidCredential
from accounts.users.models import User
from tenants.identity import Identity
from tenants.models import Tenant


@dataclass(frozen=True, slots=True)
class Me:
    user: User
    tenant: Tenant
    role: str


def me(identity: Identity) -> Me:
    """The person, tenant and role as they are now. Raises InvalidCredential when gone."""
    membership = (
        Membership.objects.filter(user_id=identity.user_id, tenant_id=identity.tenant_id)
        .select_related("user", "tenant")
        .first()
    )
    if membership is None or not membership.user.is_active:
        raise InvalidCredential
    return Me(membership.user, membership.tenant, membership.role)
