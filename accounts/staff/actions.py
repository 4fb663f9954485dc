"""The platform's own people: who is one, and how they come in."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import transaction

from accounts.access.errors import WrongLogin
from accounts.mfa import actions as mfa
from accounts.mfa.errors import SecondFactorNeeded, WrongSecondFactor
from accounts.sessions import guessing
from accounts.staff import naming
from accounts.staff.errors import PersonKnown
from accounts.trail import actions as trail
from accounts.users import actions as users
from accounts.users.models import User
from tenants.context import Actor
from tenants.deletion import actions as deletion
from tenants.models import Tenant, TenantWorkflow

_WRONG_CODE = (SecondFactorNeeded, WrongSecondFactor)


def know(*, email: str, password: str, address: str) -> User:
    """The member of staff with this password. Raises WrongLogin, TooManyAttempts, ValkeyAway."""
    with guessing.counted(account=email, address=address, wrong=(WrongLogin,)):
        person = users.authenticate(email=email, password=password)
        if person is None or not person.is_staff:
            raise WrongLogin("Email or password is not right.")
    return person


def let_in(*, person: User, otp: str, address: str, now: datetime) -> list[str]:
    """The second factor of who has shown the password, recorded; the first code adds it.

    Gives recovery codes where it was added. Raises SecondFactorNeeded, WrongSecondFactor,
    NothingToConfirm, TooManyAttempts, ValkeyAway.
    """
    # With the password, which opened the session that the code is asked in, these are all factors.
    with guessing.counted(account=person.email, address=address, wrong=_WRONG_CODE, forgives=True):
        codes = _show(person.id, otp, now=now)
    trail.record("staff.logged_in", by=Actor.user(person.id).name, on=person)
    return codes


def create(*, email: str, password: str, by: str, now: datetime) -> User:
    """A member of staff, who adds a second factor at the first log-in.

    Nobody who is known becomes one: they may be a tenant's, and have chosen the password for that.
    Raises PersonKnown, or Django's ValidationError.
    """
    with transaction.atomic():
        person = users.ensure(email=email, password=password, now=now, is_staff=True)
        if person.created_at != now:
            raise PersonKnown
        trail.record("staff.created", by=by, kind="user", key=str(person.pk))
    return person


def delete_tenant(
    *, tenant: Tenant, person: User, otp: str, address: str, now: datetime
) -> TenantWorkflow:
    """Have a tenant deleted for good, by who shows the second factor once more for it.

    Raises SecondFactorNeeded, WrongSecondFactor, TooManyAttempts, ValkeyAway, NotDeletable.
    """
    with guessing.counted(account=person.email, address=address, wrong=_WRONG_CODE):
        if not mfa.check(user_id=person.id, otp=otp, now=now):
            raise SecondFactorNeeded
    return deletion.start(tenant=tenant, by=naming.actor_of(person).name, now=now)


def _show(user_id: UUID, otp: str, *, now: datetime) -> list[str]:
    if mfa.has_authenticator(user_id):
        mfa.check(user_id=user_id, otp=otp, now=now)
        return []
    return mfa.confirm(user_id=user_id, otp=otp, now=now)
