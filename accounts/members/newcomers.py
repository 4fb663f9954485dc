"""People who are new to the platform."""

from __future__ import annotations

from datetime import datetime

from django.db import IntegrityError, transaction

from accounts.access.errors import WrongLogin
from accounts.users import passwords
from accounts.users.models import User


def make(*, email: str, password: str, has_mail: bool, now: datetime) -> User:
    """Somebody whom nobody knew, and never somebody who has been made meanwhile.

    Whoever asks gets the person's rights without having proven anything but, with `has_mail`, that
    they read what is mailed to the email. Raises UnfitPassword, or WrongLogin when it is known.
    """
    passwords.keep_the_rules(password, field="password")
    user = User(email=email.lower(), created_at=now, email_proven_at=now if has_mail else None)
    user.set_password(password)
    user.clean_fields()
    try:
        with transaction.atomic():
            user.save(force_insert=True)
    except IntegrityError as fault:
        raise WrongLogin from fault
    return user
