"""The token that a confirmation's mail carries: who is to confirm which address, signed."""

from __future__ import annotations

from django.conf import settings
from django.core import signing

from accounts.emails.errors import BadConfirmation
from accounts.users.models import User

SALT = "accounts.emails.confirmation"


def token_of(user: User) -> str:
    return signing.dumps(_meant(user), salt=SALT)


def check(token: str, user: User) -> None:
    """Raises BadConfirmation unless it was mailed to this person, at the address of today."""
    try:
        meant = signing.loads(token, salt=SALT, max_age=settings.EMAIL_CONFIRMATION_SECONDS)
    except signing.BadSignature as fault:
        raise BadConfirmation from fault
    if meant != _meant(user):
        raise BadConfirmation


def _meant(user: User) -> list[str]:
    return [str(user.pk), user.email]
