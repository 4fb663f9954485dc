"""What may be done with people."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from uuid import UUID

from django.contrib.auth.hashers import check_password, make_password
from django.contrib.auth.password_validation import validate_password
from django.db import IntegrityError, transaction

from accounts.users.errors import EmailUnproven
from accounts.users.models import User

_NOWHERE = "gone.invalid"  # where no mail can ever be sent (RFC 2606)


def ensure(*, email: str, password: str, now: datetime, is_staff: bool = False) -> User:
    """The person with this email; made with this password when unknown.

    For operators, who vouch for whom they make. Raises EmailUnproven for somebody who signed up
    and may be anybody, and Django's ValidationError for a password that breaks the rules.
    """
    known = User.objects.filter(email=email.lower()).first()
    if known and not known.is_email_proven:
        raise EmailUnproven
    if known:
        return known
    validate_password(password)
    user = User(email=email.lower(), created_at=now, email_proven_at=now)
    user.is_staff = user.is_superuser = is_staff
    user.set_password(password)
    user.full_clean()
    user.save(force_insert=True)
    return user


def remember(*, people: Mapping[UUID, str], now: datetime) -> list[User]:
    """Of people by id, with their email, make those who are gone stand there again: shut out of
    everything, with no password, no second factor and no place among the staff.

    For operators, who put back rows of before somebody was deleted: they say whose they are. An
    email that is somebody else's by now stays theirs.
    """
    known = set(User.objects.filter(pk__in=list(people)).values_list("pk", flat=True))
    gone = [(user_id, email) for user_id, email in people.items() if user_id not in known]
    made = (_shut_out(user_id, email, now=now) for user_id, email in gone)
    return [user for user in made if user]


def _shut_out(user_id: UUID, email: str, *, now: datetime) -> User | None:
    """None where somebody else has just made it."""
    for address in (email.lower(), f"{user_id}@{_NOWHERE}"):
        user = User(id=user_id, email=address, is_active=False, created_at=now)
        user.set_unusable_password()
        with suppress(IntegrityError), transaction.atomic():
            user.save(force_insert=True)
            return user
    return None


def authenticate(*, email: str, password: str) -> User | None:
    """The active person with this email and password; an unknown one takes as long as a wrong."""
    user = User.objects.filter(email=email.lower(), is_active=True).first()
    if user is None:
        make_password(password)
        return None
    return user if check_password(password, user.password) else None
