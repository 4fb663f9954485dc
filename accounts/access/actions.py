"""What may be done with memberships."""

from __future__ import annotations

from datetime import datetime

from accounts.access.models import Membership
from accounts.access.roles import Role
from accounts.users.models import User
from tenants.models import Tenant


def ensure_member(*, tenant: Tenant, user: User, role: Role, now: datetime) -> Membership:
    """The person's membership of the tenant, made with this role when there is none."""
    membership, _ = Membership.objects.get_or_create(
        tenant=tenant,
        user=user,
        defaults={"role": role.value, "email": user.email, "created_at": now},
    )
    return membership
