"""What may be asked about sessions, and whom a token speaks for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import QuerySet

from accounts.access import queries as access
from accounts.sessions.models import Session
from accounts.users.models import User
from tenants.identity import Identity
from tenants.models import Tenant


@dataclass(frozen=True, slots=True)
class Me:
    user: User
    tenant: Tenant
    role: str
    has_second_factor: bool


def me(identity: Identity) -> Me:
    """The person, tenant and role as they are now. Raises InvalidCredential when gone."""
    membership = access.membership(user_id=identity.user_id, tenant_id=identity.tenant_id)
    return Me(membership.user, membership.tenant, membership.role, identity.has_second_factor)


def open_sessions(*, tenant_id: UUID, user_id: UUID, now: datetime) -> QuerySet[Session]:
    """A person's sessions in a tenant that have neither ended nor run out."""
    rows = Session.objects.filter(tenant_id=tenant_id, user_id=user_id)
    return rows.filter(ended_at=None, expires_at__gt=now)
