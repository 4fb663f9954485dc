"""What can be wrong with a reset."""

from config.api.errors import DomainError


class BadResetToken(DomainError):
    code = "bad_reset_token"
    status = 400
    title = "This link has been used, is too old, or was never ours. Ask for another."


class TooManyResets(DomainError):
    code = "too_many_resets"
    status = 429
    title = "Too many resets were asked for from this address. Wait as long as Retry-After says."
