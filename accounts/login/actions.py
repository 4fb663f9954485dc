"""Signing in, staying signed in, and ending it, everywhere at once."""

from __future__ import annotations

import hashlib
import secrets
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import quote
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet

from accounts.access import queries as access
from accounts.access.callers import Device
from accounts.access.errors import InvalidCredential, NoTenant, WrongLogin
from accounts.access.models import Membership
from accounts.access.roles import Role
from accounts.audit import actions as audit
from accounts.mfa import actions as mfa
from accounts.sessions import attempts, ending
from accounts.sessions.models import RefreshToken, Session
from accounts.tokens import credentials
from accounts.tokens.credentials import Grant
from accounts.users import actions as users
from accounts.users.models import User
from tenants import context
from tenants.context import Actor, Scope, TenantContext
from tenants.errors import TenantMismatch
from tenants.identity import Identity

REUSED = "a refresh token was used twice"


@dataclass(frozen=True, slots=True)
class SignedIn:
    """What a successful log-in, refresh or switch gives."""

    access: str
    refresh: str
    expires_in: int  # seconds
    user: User
    membership: Membership
    memberships: list[Membership]


def log_in(
    *,
    email: str,
    password: str,
    otp: str,
    tenant_slug: str | None,
    at: UUID | None,
    device: Device,
    now: datetime,
) -> SignedIn:
    """Sign in to the tenant named by slug, by the address `at`, or to the person's first.

    Raises WrongLogin, NoTenant, TooManyAttempts, and of the second factor SecondFactorNeeded and
    WrongSecondFactor; unknown and wrong look the same, and take the same time.
    """
    attempts.check(account=email, address=device.address)
    user = users.authenticate(email=email, password=password)
    if user is None:
        attempts.failed(account=email, address=device.address)
        raise WrongLogin
    memberships = list(access.memberships_of(user.id))
    chosen = [
        m for m in memberships if tenant_slug in (None, m.tenant.slug) and at in (None, m.tenant_id)
    ]
    if not chosen:
        if not (tenant_slug or at):
            raise NoTenant
        attempts.failed(account=email, address=device.address)
        raise WrongLogin
    has_second_factor = _second_factor(user, otp, device=device, now=now)
    attempts.succeeded(account=email, address=device.address)
    return open_session(
        user=user,
        membership=chosen[0],
        memberships=memberships,
        has_second_factor=has_second_factor,
        device=device,
        now=now,
    )


def open_session(
    *,
    user: User,
    membership: Membership,
    memberships: list[Membership],
    has_second_factor: bool,
    device: Device,
    now: datetime,
) -> SignedIn:
    """A session of a person who has been made sure of.

    Password and role are read once more when it stands: whoever changes them ends what stands then
    (`ending.end`), so nothing falls between. Raises WrongLogin or InvalidCredential.
    """
    with _inside(membership):
        session = Session.objects.create(
            tenant_id=membership.tenant_id,
            user_id=user.id,
            created_at=now,
            last_seen_at=now,
            expires_at=now + timedelta(seconds=settings.REFRESH_TOKEN_SECONDS),
            address=device.address or None,
            agent=device.agent[:200],
            has_second_factor=has_second_factor,
        )
        refresh_token = _new_refresh_token(session, now=now)
        audit.record("session.opened", on=session, after={"second_factor": has_second_factor})
    fresh = access.membership(user_id=user.id, tenant_id=membership.tenant_id)
    if fresh.user.password != user.password:  # changed since it was looked at
        with _inside(membership):
            ending.end(_alone(session), because="the password was changed", now=now)
        raise WrongLogin
    return _signed_in(session, refresh_token, user, fresh, memberships, now=now)


def refresh(*, token: str, at: UUID | None, device: Device, now: datetime) -> SignedIn:
    """Trade a refresh token for new ones. A token used twice ends its session, whoever was first.

    Of two at once one wins and gets its tokens, and the other's use ends the session for both.
    Raises InvalidCredential, or TenantMismatch (and leaves the token good) when the address `at` is
    another tenant's.
    """
    known = (
        RefreshToken.objects.filter(digest=_digest(token)).select_related("session", "user").first()
    )
    if known is None:
        raise InvalidCredential
    if at not in (None, known.tenant_id):
        raise TenantMismatch
    memberships = list(access.memberships_of(known.user_id))
    membership = next((m for m in memberships if m.tenant_id == known.tenant_id), None)
    session, user = known.session, known.user
    if membership is None or not user.is_active or session.ended_at or known.expires_at <= now:
        raise InvalidCredential
    with _inside(membership):
        claimed = RefreshToken.objects.filter(pk=known.pk, used_at=None).update(used_at=now)
        if claimed:
            session.last_seen_at = now
            session.expires_at = now + timedelta(seconds=settings.REFRESH_TOKEN_SECONDS)
            session.address = device.address or None
            session.save(update_fields=["last_seen_at", "expires_at", "address"])
            fresh = _new_refresh_token(session, now=now)
        else:
            ending.end(_alone(session), because=REUSED, now=now)
            audit.record("session.ended", on=session, after={"because": REUSED})
    if not claimed:
        raise InvalidCredential
    membership = access.membership(user_id=user.id, tenant_id=known.tenant_id)
    return _signed_in(session, fresh, user, membership, memberships, now=now)


def switch(*, caller: Identity, tenant_slug: str, device: Device, now: datetime) -> SignedIn:
    """A session of the same person in another of their tenants. Raises NoTenant."""
    memberships = list(access.memberships_of(caller.user_id))
    chosen = next((m for m in memberships if m.tenant.slug == tenant_slug), None)
    if chosen is None:
        raise NoTenant("You belong to no active tenant of that name.")
    return open_session(
        user=User.objects.get(pk=caller.user_id),
        membership=chosen,
        memberships=memberships,
        has_second_factor=caller.has_second_factor,
        device=device,
        now=now,
    )


def step_up(*, caller: Identity, password: str, otp: str, device: Device, now: datetime) -> str:
    """An access token with which, for some minutes, data may be withdrawn; its session goes on.

    Asks for the second factor of who has one, else for the password. Raises WrongLogin,
    SecondFactorNeeded, WrongSecondFactor, TooManyAttempts.
    """
    user = User.objects.get(pk=caller.user_id)
    attempts.check(account=user.email, address=device.address)
    if not mfa.has_authenticator(user.id) and not user.check_password(password):
        attempts.failed(account=user.email, address=device.address)
        raise WrongLogin("The password is not right.")
    has_second_factor = _second_factor(user, otp, device=device, now=now)
    attempts.succeeded(account=user.email, address=device.address)
    membership = access.membership(user_id=user.id, tenant_id=caller.tenant_id)
    session = Session.objects.get(pk=caller.session_id)
    with _inside(membership):
        audit.record("session.stepped_up", on=session)
    session.has_second_factor |= has_second_factor
    return credentials.issue(_grant(session, membership, stepped_up_at=now), now=now)


def log_out(*, session_id: UUID, now: datetime) -> None:
    """End the caller's session; called inside the tenant."""
    end(sessions=Session.objects.filter(pk=session_id), because="logged out", now=now)


def end(*, sessions: QuerySet[Session], because: str, now: datetime) -> int:
    """End those of the entered tenant's sessions that are still open; gives how many."""
    ended = ending.end(sessions, because=because, now=now)
    for session in ended:
        audit.record("session.ended", on=session, after={"because": because})
    return len(ended)


def misdirected(caller: Identity, *, path: str) -> None:
    """Record, in the credential's own tenant, that it was sent to another's address."""
    with context.enter(caller.personal_context()):
        audit.record("credential.misdirected", kind="request", key=quote(path)[:200])


def _second_factor(user: User, otp: str, *, device: Device, now: datetime) -> bool:
    """Whether the person has shown one. Raises SecondFactorNeeded or WrongSecondFactor."""
    try:
        return mfa.check(user_id=user.id, otp=otp, now=now)
    except mfa.WrongSecondFactor:
        attempts.failed(account=user.email, address=device.address)
        raise


def _inside(membership: Membership) -> AbstractContextManager[TenantContext]:
    """The person's own rows of the tenant, whatever the role may see besides."""
    actor = Actor.user(membership.user_id)
    return context.enter(TenantContext(membership.tenant_id, actor, Scope.USER))


def _alone(session: Session) -> QuerySet[Session]:
    return Session.objects.filter(pk=session.pk)


def _new_refresh_token(session: Session, *, now: datetime) -> str:
    token = secrets.token_urlsafe(32)
    RefreshToken.objects.create(
        digest=_digest(token),
        session=session,
        tenant_id=session.tenant_id,
        user_id=session.user_id,
        created_at=now,
        expires_at=session.expires_at,
    )
    return token


def _signed_in(
    session: Session,
    refresh_token: str,
    user: User,
    membership: Membership,
    memberships: list[Membership],
    *,
    now: datetime,
) -> SignedIn:
    token = credentials.issue(_grant(session, membership), now=now)
    seconds = settings.ACCESS_TOKEN_SECONDS
    return SignedIn(token, refresh_token, seconds, user, membership, memberships)


def _grant(
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


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
