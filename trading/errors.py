"""What rooms say no with in common, by code; each keeps its own beside what raises it."""

from config.api.errors import DomainError


class Refused(DomainError):
    """The request is well formed, and the books or the rules say no."""

    status = 422


class NotFound(DomainError):
    code = "not_found"
    status = 404
    title = "Not found."
