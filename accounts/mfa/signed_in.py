"""What signed-in people do with their own second factor: they prove it, and guesses count."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.hashers import check_password
from django.db import transaction

from accounts.access import queries as access
from accounts.access.roles import Role
from accounts.mfa import actions as mfa
from accounts.mfa.actions import Enrolled
from accounts.mfa.errors import (
    AlreadyEnrolled,
    NoSecondFactor,
    SecondFactorRequired,
    WrongSecondFactor,
)
from accounts.sessions import actions as sessions
from accounts.sessions import guessing
from accounts.tokens import credentials
from accounts.tokens.credentials import Grant
from accounts.users.errors import WrongPassword
from accounts.users.models import User
from tenants.identity import Identity


@dataclass(frozen=True, slots=True)
class Confirmed:
    """An access token that says so, and the recovery codes, which are shown this once."""

    access: str
    recovery_codes: list[str]


def enrol(*, caller: Identity, password: str, address: str, now: datetime) -> Enrolled:
    """A new secret, in the place of one that was never confirmed.

    It takes the password: else whoever finds a token could make a second factor of their own, and
    prove themselves with it. Raises WrongPassword, TooManyAttempts, AlreadyEnrolled.
    """
    user = User.objects.get(pk=caller.user_id)
    if mfa.has_authenticator(user.id):
        raise AlreadyEnrolled
    with guessing.counted(
        account=user.email, address=address, wrong=(WrongPassword,), forgives=True
    ):
        if not check_password(password, user.password):
            raise WrongPassword
    return mfa.enrol(user_id=user.id, email=user.email, now=now)


def confirm(*, caller: Identity, otp: str, address: str, now: datetime) -> Confirmed:
    """Let the enrolled authenticator count; the caller's session has shown it with that.

    Raises NothingToConfirm, WrongSecondFactor, TooManyAttempts.
    """
    with _counted(caller, address), transaction.atomic():
        codes = mfa.confirm(user_id=caller.user_id, otp=otp, now=now)
        sessions.note_second_factor(caller.session_id)
        token = _token(caller, now=now)
    return Confirmed(token, codes)


def remove(*, caller: Identity, otp: str, address: str, now: datetime) -> None:
    """Give it up, with a code of it or a recovery code.

    Raises SecondFactorRequired where any of the person's tenants asks for one, NoSecondFactor,
    SecondFactorNeeded, WrongSecondFactor, TooManyAttempts.
    """
    if access.owes_second_factor(caller.user_id):
        raise SecondFactorRequired
    _show(caller, otp, address=address, now=now)
    mfa.remove(user_id=caller.user_id)


def renew_recovery_codes(*, caller: Identity, otp: str, address: str, now: datetime) -> list[str]:
    """Ten new ones, for a code of the authenticator or an old one.

    Raises NoSecondFactor, SecondFactorNeeded, WrongSecondFactor, TooManyAttempts.
    """
    _show(caller, otp, address=address, now=now)
    return mfa.renew_recovery_codes(user_id=caller.user_id, now=now)


def _show(caller: Identity, otp: str, *, address: str, now: datetime) -> None:
    with _counted(caller, address):
        if not mfa.check(user_id=caller.user_id, otp=otp, now=now):
            raise NoSecondFactor


@contextmanager
def _counted(caller: Identity, address: str) -> Iterator[None]:
    email = User.objects.values_list("email", flat=True).get(pk=caller.user_id)
    with guessing.counted(account=email, address=address, wrong=(WrongSecondFactor,)):
        yield


def _token(caller: Identity, *, now: datetime) -> str:
    """An access token of the same session that knows of the second factor."""
    member = access.membership(user_id=caller.user_id, tenant_id=caller.tenant_id)
    grant = Grant(
        user_id=caller.user_id,
        tenant_id=caller.tenant_id,
        role=Role(member.role),
        session_id=caller.session_id,
        sees_tenant=member.sees_tenant,
        has_second_factor=True,
        stepped_up_at=caller.stepped_up_at,
    )
    return credentials.issue(grant, now=now)
