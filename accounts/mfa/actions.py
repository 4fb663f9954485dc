"""What may be done with second factors."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from accounts.mfa.errors import WrongSecondFactor
from accounts.mfa.models import Authenticator

__all__ = ["WrongSecondFactor", "check", "has_authenticator"]


def has_authenticator(user_id: UUID) -> bool:
    """Whether the person has a confirmed one."""
    return Authenticator.objects.filter(user_id=user_id, confirmed_at__isnull=False).exists()


def check(*, user_id: UUID, otp: str, now: datetime) -> bool:
    """Whether the person has shown a second factor; False for who has none to show.

    Raises SecondFactorNeeded when `otp` is empty, WrongSecondFactor when it is not right.
    """
    return False
