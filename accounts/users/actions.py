"""What may be done with people."""

from __future__ import annotations

from datetime import datetime

from django.contrib.auth.hashers import check_password, make_password
from django.contrib.auth.password_validation import validate_password

from accounts.users.errors import EmailUnproven
from accounts.users.models import User


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


def authenticate(*, email: str, password: str) -> User | None:
    """The active person with this email and password; an unknown one takes as long as a wrong."""
    user = User.objects.filter(email=email.lower(), is_active=True).first()
    if user is None:
        make_password(password)
        return None
    return user if check_password(password, user.password) else None
