"""What may be done with people."""

from __future__ import annotations

from datetime import datetime

from accounts.users.models import User


def ensure(*, email: str, password: str, now: datetime, is_staff: bool = False) -> User:
    """The person with this email; made with this password when unknown."""
    known = User.objects.filter(email=email.lower()).first()
    if known:
        return known
    user = User(email=email.lower(), created_at=now, is_staff=is_staff, is_superuser=is_staff)
    user.set_password(password)
    user.full_clean()
    user.save(force_insert=True)
    return user
