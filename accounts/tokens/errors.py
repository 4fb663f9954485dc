"""What can go wrong with credentials, in words that tell a stranger nothing."""

from config.api.errors import DomainError


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
