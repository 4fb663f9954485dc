"""The platform's own people."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from accounts.staff.errors import PersonKnown
from accounts.trail import actions as trail
from accounts.users import actions as users
from accounts.users.models import User


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
