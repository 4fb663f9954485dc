"""People who are new to the platform."""

from __future__ import annotations

from datetime import datetime

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from accounts.access.errors import WrongLogin
from accounts.users.errors import UnfitPassword
from accounts.users.models import User


def keep_the_rules(password: str) -> None:
    """Raises UnfitPassword."""
    try:
        validate_password(password)
    except ValidationError as fault:
        raise UnfitPassword.because(fault, field="password") from fault


def make(*, email: str, password: str, has_mail: bool, now: datetime) -> User:
    """Somebody whom nobody knew, and never somebody who has been made meanwhile.

    Whoever asks gets the person's rights without having proven anything but, with `has_mail`, that
    they read what is mailed to the email. Raises UnfitPassword, or WrongLogin when it is known.
    """
    keep_the_rules(password)
    user = User(email=email.lower(), created_at=now, email_proven_at=now if has_mail else None)
    user.set_password(password)
    user.clean_fields()
    try:
        with transaction.atomic():
            user.save(force_insert=True)
    except IntegrityError as fault:
        raise WrongLogin from fault
    return user
