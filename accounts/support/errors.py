"""What can stand between the staff and a tenant."""

from config.api.errors import DomainError


class SupportClosed(DomainError):
    code = "support_session_closed"
    status = 403
    title = "This support session is not open."


class NotTwoPeople(DomainError):
    code = "support_session_needs_another"
    status = 403
    title = "Another member of staff, or an owner of the tenant, has to open it."
