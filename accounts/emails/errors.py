"""What can be wrong with a confirmation."""

from config.api.errors import DomainError


class BadConfirmation(DomainError):
    code = "bad_confirmation"
    status = 400
    title = "This link is too old, was never ours, or is not yours. Have another one mailed."
