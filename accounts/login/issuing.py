"""What a log-in gives: the session's row, its refresh token, and the access token."""

from __future__ import annotations

import hashlib
import secrets
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet

from accounts.access import queries as access
from accounts.access.callers import Device
from accounts.access.models import Membership
from accounts.access.roles import Role
from accounts.sessions.models import RefreshToken, Session
from accounts.tokens import credentials
from accounts.tokens.credentials import Grant
from accounts.users.models import User
from tenants import context
from tenants.context import Actor, Scope, TenantContext


@dataclass(frozen=True, slots=True)
class SignedIn:
    """What a successful log-in, refresh or switch gives."""

    access: str
    refresh: str
    expires_in: int  # seconds
    user: User
    membership: Membership
    memberships: list[Membership]


def new_session(
    membership: Membership, *, has_second_factor: bool, device: Device, now: datetime
) -> Session:
    return Session.objects.create(
        tenant_id=membership.tenant_id,
        user_id=membership.user_id,
        created_at=now,
        last_seen_at=now,
        expires_at=now + timedelta(seconds=settings.REFRESH_TOKEN_SECONDS),
        address=device.address or None,
        agent=device.agent[:200],
        has_second_factor=has_second_factor,
    )


def new_refresh_token(session: Session, *, now: datetime) -> str:
    token = secrets.token_urlsafe(32)
    RefreshToken.objects.create(
        digest=digest(token),
        session=session,
        tenant_id=session.tenant_id,
        user_id=session.user_id,
        created_at=now,
        expires_at=session.expires_at,
    )
    return token


def signed_in(
    session: Session,
    refresh_token: str,
    user: User,
    membership: Membership,
    memberships: list[Membership],
    *,
    now: datetime,
) -> SignedIn:
    token = credentials.issue(grant(session, membership), now=now)
    seconds = settings.ACCESS_TOKEN_SECONDS
    return SignedIn(token, refresh_token, seconds, user, membership, memberships)


def grant(
    session: Session, membership: Membership, *, stepped_up_at: datetime | None = None
) -> Grant:
    asks = access.requires_second_factor(membership.tenant_id)
    return Grant(
        user_id=session.user_id,
        tenant_id=session.tenant_id,
        role=Role(membership.role),
        session_id=session.id,
        sees_tenant=membership.sees_tenant,
        has_second_factor=session.has_second_factor,
        stepped_up_at=int(stepped_up_at.timestamp()) if stepped_up_at else 0,
        must_enrol=asks and not session.has_second_factor,
    )


def inside(membership: Membership) -> AbstractContextManager[TenantContext]:
    return context.enter(own_rows(membership.user_id, membership.tenant_id))


def own_rows(user_id: UUID, tenant_id: UUID) -> TenantContext:
    """The person's own rows of the tenant, whatever the role may see besides."""
    return TenantContext(tenant_id, Actor.user(user_id), Scope.USER)


def alone(session: Session) -> QuerySet[Session]:
    return Session.objects.filter(pk=session.pk)


def digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
