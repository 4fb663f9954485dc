"""What can be wrong with passwords."""

from __future__ import annotations

from django.core.exceptions import ValidationError

from config.api.errors import DomainError


class EmailUnproven(DomainError):
    code = "email_unproven"
    status = 409
    title = "Somebody has signed up with this email, and has not proven that it is theirs."


class WrongPassword(DomainError):
    code = "wrong_password"
    status = 401
    title = "The password is not right."


class UnfitPassword(DomainError):
    """Breaks the rules for passwords; `errors` says which."""

    code = "unfit_password"
    status = 400
    title = "This password is too easy to guess."

    @classmethod
    def because(cls, fault: ValidationError, *, field: str) -> UnfitPassword:
        """Django's errors, in the API's words; `field` is the body's that holds the password."""
        errors: list[dict[str, object]] = [
            {"field": field, "code": error.code or "invalid", "message": " ".join(error.messages)}
            for error in fault.error_list
        ]
        return cls("See `errors`.", errors=errors)
