"""Signing in, and staying signed in."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.contrib.auth.hashers import check_password, make_password
from django.db import transaction

from accounts.access import queries as access
from accounts.access.models import Membership
from accounts.access.roles import Role
from accounts.tokens import credentials
from accounts.tokens.errors import InvalidCredential, NoTenant, WrongLogin
from accounts.tokens.models import RefreshToken
from accounts.users.models import User
from tenants.errors import TenantMismatch
from tenants.identifiers import new_id


@dataclass(frozen=True, slots=True)
class Session:
    """What a successful log-in or refresh gives."""

    access: str
    refresh: str
    expires_in: int  # seconds
    user: User
    membership: Membership
    memberships: list[Membership]


def log_in(
    *, email: str, password: str, tenant_slug: str | None, at: UUID | None, now: datetime
) -> Session:
    """Sign in to the tenant named by slug, by the address `at`, or to the person's first.

    Raises WrongLogin or NoTenant; unknown and wrong look the same.
    """
    user = User.objects.filter(email=email.lower(), is_active=True).first()
    if user is None:
        make_password(password)  # an unknown email takes as long as a wrong password
        raise WrongLogin
    if not check_password(password, user.password):
        raise WrongLogin
    memberships = list(access.memberships_of(user.id))
    chosen = [
        m for m in memberships if tenant_slug in (None, m.tenant.slug) and at in (None, m.tenant_id)
    ]
    if not chosen:
        raise WrongLogin if tenant_slug or at else NoTenant
    return _session(user, chosen[0], memberships, session_id=new_id(), now=now)


def refresh(*, token: str, at: UUID | None, now: datetime) -> Session:
    """Trade a refresh token for new ones; reuse ends the session.

    Raises InvalidCredential, or TenantMismatch (and leaves the token good) when the address `at` is
    another tenant's.
    """
    digest = _digest(token)
    with transaction.atomic():
        owner = RefreshToken.objects.filter(digest=digest).values_list("membership__tenant_id")
        if at is not None and owner.exclude(membership__tenant_id=at).exists():
            raise TenantMismatch
        claimed = RefreshToken.objects.filter(
            digest=digest, used_at=None, expires_at__gt=now
        ).update(used_at=now)
        known = RefreshToken.objects.filter(digest=digest).first()
        if known is not None and not claimed:
            RefreshToken.objects.filter(session_id=known.session_id).delete()
    if known is None or not claimed:
        raise InvalidCredential
    memberships = list(access.memberships_of(known.user_id))
    chosen = next((m for m in memberships if m.id == known.membership_id), None)
    if chosen is None or not known.user.is_active:
        raise InvalidCredential
    return _session(known.user, chosen, memberships, session_id=known.session_id, now=now)


def log_out(*, session_id: UUID) -> None:
    """End the session: its refresh tokens are gone, its access token runs out by itself."""
    RefreshToken.objects.filter(session_id=session_id).delete()


def _session(
    user: User,
    membership: Membership,
    memberships: list[Membership],
    *,
    session_id: UUID,
    now: datetime,
) -> Session:
    token = secrets.token_urlsafe(32)
    RefreshToken.objects.create(
        digest=_digest(token),
        session_id=session_id,
        membership=membership,
        user=user,
        created_at=now,
        expires_at=now + timedelta(seconds=settings.REFRESH_TOKEN_SECONDS),
    )
    access_token = credentials.issue(
        user_id=user.id,
        tenant_id=membership.tenant_id,
        role=Role(membership.role),
        session_id=session_id,
        now=now,
    )
    return Session(
        access_token, token, settings.ACCESS_TOKEN_SECONDS, user, membership, memberships
    )


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
