"""What may be asked about sessions, and whom a token speaks for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone

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


def open_sessions(user_id: UUID) -> QuerySet[Session]:
    """A person's sessions that have not ended, newest first."""
    return Session.objects.filter(user_id=user_id, ended_at=None).order_by("-last_seen_at", "-id")


def ended_lately() -> list[UUID]:
    """Sessions that ended while access tokens of theirs may still be about."""
    since = timezone.now() - timedelta(seconds=settings.ACCESS_TOKEN_SECONDS + 60)
    return list(Session.objects.filter(ended_at__gte=since).values_list("id", flat=True))
