"""What can stand in the way of shutting somebody out, or letting them in again."""

from config.api.errors import DomainError


class NotSuspendable(DomainError):
    code = "tenant_not_suspendable"
    status = 409
    title = "Only a tenant that is ready for use is suspended and resumed."
