"""What can go wrong on the way into a tenant, with the names operators and clients see."""

from config.api.errors import DomainError


class NoTenantContext(DomainError):
    """Tenant rows were asked for outside a tenant: a fault of the program, never a request's."""

    code = "no_tenant_context"
    status = 500
    title = "No tenant has been entered."


class TenantAlreadyEntered(DomainError):
    """Another tenant, actor or transaction is already open here: one tenant per transaction."""

    code = "tenant_already_entered"
    status = 500
    title = "Another tenant is already entered."


class TicketRefused(DomainError):
    """The database did not accept the signature or the age of the ticket."""

    code = "ticket_refused"
    status = 500
    title = "The database refused the tenant ticket."


class UnknownTenant(DomainError):
    code = "not_found"
    status = 404
    title = "Not found."


class TenantSuspended(DomainError):
    code = "tenant_suspended"
    status = 403
    title = "This tenant is suspended."


class TenantRestoring(TenantSuspended):
    """For a while: its rows are being exchanged for those of a backup. Whoever goes through all
    tenants leaves it out as a suspended one; whoever came for this one comes again."""

    code = "tenant_restoring"
    status = 503
    title = "This tenant is being restored. Try again in a moment."

    def __init__(self, detail: str = "") -> None:
        super().__init__(detail, headers={"Retry-After": "2"})


class TenantMismatch(DomainError):
    code = "tenant_mismatch"
    status = 403
    title = "This credential belongs to another tenant."


class SecondFactorMissing(DomainError):
    code = "second_factor_enrolment_needed"
    status = 403
    title = "This tenant asks everyone for a second factor. Add one under auth/mfa/totp/ first."


class WrongDatabaseRole(Exception):
    """The connection's role could see past the walls; the process must not start."""


class OutsideTenantFiles(DomainError):
    code = "not_found"
    status = 404
    title = "Not found."


# SQLSTATEs raised by `enter_tenant`, in the class BH that no other software uses.
BY_SQLSTATE: dict[str, type[DomainError]] = {
    "BH001": UnknownTenant,
    "BH002": TenantSuspended,
    "BH003": TicketRefused,
    "BH004": TenantAlreadyEntered,
    "BH007": TenantRestoring,
}
