"""What a password has to be; the common ones are Django's list."""

from __future__ import annotations

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError

from accounts.users.errors import UnfitPassword
from accounts.users.models import User

SHORTEST, LONGEST = 8, 128  # characters


def keep_the_rules(password: str, *, field: str, user: User | None = None) -> None:
    """Of the body's `field`. Raises UnfitPassword."""
    try:
        validate_password(password, user)
    except ValidationError as fault:
        raise UnfitPassword.because(fault, field=field) from fault


class Length:
    """Django's password validator for both ends: a hash of megabytes is an attack."""

    def validate(self, password: str, user: object = None) -> None:
        if not SHORTEST <= len(password) <= LONGEST:
            raise ValidationError(self.get_help_text(), code="password_length")

    def get_help_text(self) -> str:
        return f"Use {SHORTEST} to {LONGEST} characters."


class Kinds:
    """An upper-case letter, a lower-case letter and a digit."""

    def validate(self, password: str, user: object = None) -> None:
        kinds = (str.isupper, str.islower, str.isdigit)
        if not all(any(kind(character) for character in password) for kind in kinds):
            raise ValidationError(self.get_help_text(), code="password_kinds")

    def get_help_text(self) -> str:
        return "Use an upper-case letter, a lower-case letter and a digit."
