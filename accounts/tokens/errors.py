"""What can go wrong with credentials, in words that tell a stranger nothing."""

from config.api.errors import DomainError


class InvalidCredential(DomainError):
    code = "invalid_credential"
    status = 401
    title = "The credential is not valid, or no longer."


class WrongLogin(DomainError):
    code = "wrong_login"
    status = 401
    title = "Email, password or tenant is not right."


class NoTenant(DomainError):
    code = "no_tenant"
    status = 403
    title = "This person belongs to no active tenant."
