"""What can be wrong with passwords."""

from __future__ import annotations

from django.core.exceptions import ValidationError

from config.api.errors import DomainError


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


class BadResetToken(DomainError):
    code = "bad_reset_token"
    status = 400
    title = "This link has been used, is too old, or was never ours. Ask for another."


class TooManyResets(DomainError):
    code = "too_many_resets"
    status = 429
    title = "Too many resets were asked for from this address. Wait as long as Retry-After says."
