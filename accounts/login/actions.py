"""Signing in, staying signed in, and ending it, everywhere at once."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db.models import QuerySet

from accounts.access import queries as access
from accounts.access.callers import Device
from accounts.access.errors import InvalidCredential, NoTenant, WrongLogin
from accounts.access.models import Membership
from accounts.audit import actions as audit
from accounts.login import issuing, refreshing
from accounts.login.issuing import SignedIn
from accounts.mfa import actions as mfa
from accounts.mfa.errors import WrongSecondFactor
from accounts.sessions import ending, guessing
from accounts.sessions.models import Session
from accounts.tokens import credentials
from accounts.trail import misdirections
from accounts.users import actions as users
from accounts.users.models import User
from tenants.errors import TenantMismatch
from tenants.identity import Identity

_WRONG = (WrongLogin, WrongSecondFactor)


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
    with guessing.counted(account=email, address=device.address, wrong=_WRONG, forgives=True):
        user = _with_password(email, password)
        memberships = list(access.memberships_of(user.id))
        membership = _chosen(memberships, tenant_slug=tenant_slug, at=at)
        has_second_factor = mfa.check(user_id=user.id, otp=otp, now=now)
    return open_session(
        user=user,
        membership=membership,
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
    follows: Session | None = None,
) -> SignedIn:
    """A session of a person who has been made sure of, if need be by the session that it `follows`.

    Password and role, and the session before it, are read once more when it stands: whoever changes
    them ends what stands then (`ending.end`), so nothing falls between. Raises WrongLogin or
    InvalidCredential.
    """
    with issuing.inside(membership):
        session = issuing.new_session(
            membership, has_second_factor=has_second_factor, device=device, now=now
        )
        refresh_token = issuing.new_refresh_token(session, now=now)
        audit.record("session.opened", on=session, after={"second_factor": has_second_factor})
    fresh = access.membership(user_id=user.id, tenant_id=membership.tenant_id)
    if fresh.user.password != user.password:  # changed since it was looked at
        with issuing.inside(membership):
            end(sessions=issuing.alone(session), because="the password was changed", now=now)
        raise WrongLogin
    if follows is not None and not _stands(follows):
        with issuing.inside(membership):
            end(sessions=issuing.alone(session), because="the one before it has ended", now=now)
        raise InvalidCredential
    return issuing.signed_in(session, refresh_token, user, fresh, memberships, now=now)


def refresh(
    *, token: str, at: UUID | None, device: Device, now: datetime, path: str = ""
) -> SignedIn:
    """Trade a refresh token for new ones. A token used twice ends its session, whoever was first.

    Of two at once one wins and gets its tokens, and the other's use ends the session for both.
    Raises InvalidCredential, or TenantMismatch (and leaves the token good) when a good one is shown
    at the address `at` of another tenant; that is recorded with the `path`.
    """
    known = refreshing.known(token)
    memberships = list(access.memberships_of(known.user_id))
    membership = next((m for m in memberships if m.tenant_id == known.tenant_id), None)
    if membership is None or not refreshing.is_open(known):
        raise InvalidCredential
    if at not in (None, known.tenant_id) and refreshing.is_good(known, now=now):
        where = issuing.own_rows(known.user_id, known.tenant_id)
        misdirections.note(where, credential=known.session_id, path=path)
        raise TenantMismatch
    with issuing.inside(membership):
        fresh = refreshing.trade(known, device=device, now=now)
    if fresh is None:
        raise InvalidCredential
    membership = access.membership(user_id=known.user_id, tenant_id=known.tenant_id)
    return issuing.signed_in(known.session, fresh, known.user, membership, memberships, now=now)


def switch(*, caller: Identity, tenant_slug: str, device: Device, now: datetime) -> SignedIn:
    """A session of the same person in another of their tenants.

    Its second factor is the one that the caller's session has to show today, whatever the access
    token says. Raises NoTenant, or InvalidCredential when the caller's session has ended.
    """
    memberships = list(access.memberships_of(caller.user_id))
    chosen = next((m for m in memberships if m.tenant.slug == tenant_slug), None)
    if chosen is None:
        raise NoTenant("You belong to no active tenant of that name.")
    before = _session_of(caller)
    return open_session(
        user=User.objects.get(pk=caller.user_id),
        membership=chosen,
        memberships=memberships,
        has_second_factor=before.has_second_factor,
        device=device,
        now=now,
        follows=before,
    )


def step_up(*, caller: Identity, password: str, otp: str, device: Device, now: datetime) -> str:
    """An access token with which, for some minutes, data may be withdrawn; its session goes on.

    Asks for the second factor of who has one, else for the password; the session has shown it from
    then on. Raises WrongLogin, SecondFactorNeeded, WrongSecondFactor, TooManyAttempts, and
    InvalidCredential when the session has ended.
    """
    user = User.objects.get(pk=caller.user_id)
    by_code = mfa.has_authenticator(user.id)  # then without the password, so not all they have
    with guessing.counted(
        account=user.email, address=device.address, wrong=_WRONG, forgives=not by_code
    ):
        if not by_code and not user.check_password(password):
            raise WrongLogin("The password is not right.")
        has_second_factor = mfa.check(user_id=user.id, otp=otp, now=now)
    membership = access.membership(user_id=user.id, tenant_id=caller.tenant_id)
    session = _session_of(caller)
    with issuing.inside(membership):
        if has_second_factor:
            session.has_second_factor = True
            session.save(update_fields=["has_second_factor"])
        audit.record("session.stepped_up", on=session, after={"second_factor": has_second_factor})
    return credentials.issue(issuing.grant(session, membership, stepped_up_at=now), now=now)


def log_out(*, session_id: UUID, now: datetime) -> None:
    """End the caller's session; called inside the tenant."""
    end(sessions=Session.objects.filter(pk=session_id), because="logged out", now=now)


def end(*, sessions: QuerySet[Session], because: str, now: datetime) -> int:
    """End those of the entered tenant's sessions that are still open; gives how many."""
    ended = ending.end(sessions, because=because, now=now)
    for session in ended:
        audit.record("session.ended", on=session, after={"because": because})
    return len(ended)


def _with_password(email: str, password: str) -> User:
    """Raises WrongLogin."""
    user = users.authenticate(email=email, password=password)
    if user is None:
        raise WrongLogin
    return user


def _chosen(
    memberships: list[Membership], *, tenant_slug: str | None, at: UUID | None
) -> Membership:
    """The first that fits. Raises NoTenant, or WrongLogin where a tenant was named."""
    for membership in memberships:
        if tenant_slug in (None, membership.tenant.slug) and at in (None, membership.tenant_id):
            return membership
    raise WrongLogin if tenant_slug or at else NoTenant


def _session_of(caller: Identity) -> Session:
    """The open session behind an access token. Raises InvalidCredential."""
    session = Session.objects.filter(pk=caller.session_id, ended_at=None).first()
    if session is None:
        raise InvalidCredential
    return session


def _stands(before: Session) -> bool:
    """Whether a session is still open, with the second factor it was read with."""
    rows = issuing.alone(before).filter(ended_at=None, has_second_factor=before.has_second_factor)
    return rows.exists()
