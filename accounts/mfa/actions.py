"""What may be done with second factors; all of it on the platform."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from uuid import UUID

from django.db import transaction

from accounts import sealing
from accounts.mfa import recovery, totp
from accounts.mfa.errors import (
    AlreadyEnrolled,
    NoSecondFactor,
    NothingToConfirm,
    SecondFactorNeeded,
    WrongSecondFactor,
)
from accounts.mfa.models import Authenticator, RecoveryCode
from accounts.sessions.models import Session
from accounts.trail import actions as trail
from accounts.users.models import User
from tenants import afterwards, context
from tenants.context import Actor
from tenants.errors import TenantAlreadyEntered


@dataclass(frozen=True, slots=True)
class Enrolled:
    """What the authenticator is told; it counts once it has shown a code."""

    secret: str  # base32
    uri: str


def has_authenticator(user_id: UUID) -> bool:
    """Whether the person has a confirmed one."""
    return _confirmed(user_id) is not None


def check(*, user_id: UUID, otp: str, now: datetime) -> bool:
    """Whether the person has shown a second factor; False for who has none to show.

    What is right is used up with that. Raises SecondFactorNeeded when `otp` is empty,
    WrongSecondFactor when it is not right or has been used.
    """
    authenticator = _confirmed(user_id)
    if authenticator is None:
        return False
    if not otp.strip():
        raise SecondFactorNeeded
    if not (_use_code(authenticator, otp, now=now) or _use_recovery_code(user_id, otp, now=now)):
        raise WrongSecondFactor
    return True


def enrol(*, user_id: UUID, email: str, now: datetime) -> Enrolled:
    """A new secret for who has shown the password, in the place of one that was never confirmed.

    Raises AlreadyEnrolled.
    """
    secret = totp.new_secret()
    fresh = Authenticator(user_id=user_id, created_at=now)
    fresh.sealed_secret = sealing.seal(secret, purpose=fresh.purpose)
    with _alone_with(user_id):
        if has_authenticator(user_id):
            raise AlreadyEnrolled
        Authenticator.objects.filter(user_id=user_id).delete()
        fresh.save(force_insert=True)
        _record("second_factor.enrolled", user_id)
    return Enrolled(totp.shown(secret), totp.uri(secret, name=email))


def confirm(*, user_id: UUID, otp: str, now: datetime) -> list[str]:
    """Let the enrolled authenticator count once it has shown a code; gives the recovery codes.

    Raises NothingToConfirm, WrongSecondFactor.
    """
    with _alone_with(user_id):
        waiting = Authenticator.objects.filter(user_id=user_id, confirmed_at=None).first()
        if waiting is None:
            raise NothingToConfirm
        step = _step_of(waiting, otp, now=now)
        if step is None:
            raise WrongSecondFactor
        waiting.confirmed_at, waiting.last_step = now, step
        waiting.save(update_fields=["confirmed_at", "last_step"])
        _record("second_factor.added", user_id)
        return _fresh_codes(user_id, now=now)


def remove(*, user_id: UUID) -> None:
    """Take away the second factor and its recovery codes."""
    with _alone_with(user_id):
        Authenticator.objects.filter(user_id=user_id).delete()
        RecoveryCode.objects.filter(user_id=user_id).delete()
        # A tenant that asks for one from now on asks these sessions too; once more when it is
        # committed, since a session that was just being opened has copied what was.
        shown = Session.objects.filter(user_id=user_id, has_second_factor=True)
        shown.update(has_second_factor=False)
        afterwards.do(partial(shown.update, has_second_factor=False))
        _record("second_factor.removed", user_id)


def clear(*, user_id: UUID) -> None:
    """Take away whatever there is, confirmed or not: it may be a stranger's. Twice is no error."""
    if has_authenticator(user_id):
        remove(user_id=user_id)
    Authenticator.objects.filter(user_id=user_id).delete()


def renew_recovery_codes(*, user_id: UUID, now: datetime) -> list[str]:
    """Ten new ones; the old ones are worth nothing any more. Raises NoSecondFactor."""
    with _alone_with(user_id):
        if not has_authenticator(user_id):
            raise NoSecondFactor
        _record("recovery_codes.renewed", user_id)
        return _fresh_codes(user_id, now=now)


@contextmanager
def _alone_with(user_id: UUID) -> Iterator[None]:
    """A transaction in which nobody else changes this person's second factor."""
    with transaction.atomic():
        User.objects.select_for_update(no_key=True).get(pk=user_id)
        yield


def _confirmed(user_id: UUID) -> Authenticator | None:
    """Raises TenantAlreadyEntered: the table is closed there, and "none" would be a lie."""
    if context.current() is not None:
        raise TenantAlreadyEntered("Second factors are asked about on the platform.")
    return Authenticator.objects.filter(user_id=user_id, confirmed_at__isnull=False).first()


def _step_of(authenticator: Authenticator, otp: str, *, now: datetime) -> int | None:
    secret = sealing.unseal(authenticator.sealed_secret, purpose=authenticator.purpose)
    return totp.step_of(secret, "".join(otp.split()), now=now)


def _use_code(authenticator: Authenticator, otp: str, *, now: datetime) -> bool:
    """Compare and set: of two who show the same code at once, one is let in."""
    step = _step_of(authenticator, otp, now=now)
    if step is None:
        return False
    unused = Authenticator.objects.filter(pk=authenticator.pk, last_step__lt=step)
    return bool(unused.update(last_step=step))


def _use_recovery_code(user_id: UUID, otp: str, *, now: datetime) -> bool:
    """On record, with how many are left: the person may not be the one who used it."""
    unused = RecoveryCode.objects.filter(user_id=user_id, used_at=None)
    with transaction.atomic():
        if not unused.filter(digest=recovery.digest(otp)).update(used_at=now):
            return False
        _record("recovery_code.used", user_id, after={"left": unused.count()})
    return True


def _fresh_codes(user_id: UUID, *, now: datetime) -> list[str]:
    codes = recovery.new_codes()
    RecoveryCode.objects.filter(user_id=user_id).delete()
    RecoveryCode.objects.bulk_create(
        RecoveryCode(user_id=user_id, digest=recovery.digest(code), created_at=now)
        for code in codes
    )
    return codes


def _record(action: str, user_id: UUID, *, after: dict[str, int] | None = None) -> None:
    by = Actor.user(user_id).name
    trail.record(action, by=by, kind="user", key=str(user_id), after=after)
