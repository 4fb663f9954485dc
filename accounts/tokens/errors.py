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


class ScopeBeyondRole(DomainError):
    code = "scope_beyond_role"
    status = 403
    title = "A key carries no more than its person's role."


class KeyRevoked(DomainError):
    code = "key_revoked"
    status = 409
    title = "The key has been revoked. Issue another."


class UnknownAccount(DomainError):
    code = "not_found"
    status = 404
    title = "There is no such account."


class TooManyKeys(DomainError):
    code = "too_many_keys"
    status = 409
    title = "Too many keys are in use. Revoke some first."
