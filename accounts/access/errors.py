"""What can stand between a member and what they asked for."""

from accounts.access.policy import Refusal
from config.api.errors import DomainError


class StepUpNeeded(DomainError):
    code = "step_up_needed"
    status = 403
    title = "Confirm that it is you: POST auth/step-up/, then use the token it gives."


class RoleOutOfReach(DomainError):
    code = Refusal.OUT_OF_REACH.value
    status = 403
    title = "Only an owner makes, changes or removes owners and admins, or grants a viewer more."


class OwnRole(DomainError):
    code = Refusal.OWN_ROLE.value
    status = 403
    title = "Nobody changes their own membership. To leave: DELETE auth/membership/."


class LastOwner(DomainError):
    code = Refusal.LAST_OWNER.value
    status = 409
    title = "A tenant keeps at least one owner. Make somebody else an owner first."


class NotAViewer(DomainError):
    code = Refusal.NOT_A_VIEWER.value
    status = 409
    title = "Only a viewer is granted more than the role sees."


class UnknownTimeZone(DomainError):
    code = "unknown_time_zone"
    status = 400
    title = "There is no such time zone."


REFUSALS: dict[Refusal, type[DomainError]] = {
    Refusal.OUT_OF_REACH: RoleOutOfReach,
    Refusal.OWN_ROLE: OwnRole,
    Refusal.LAST_OWNER: LastOwner,
    Refusal.NOT_A_VIEWER: NotAViewer,
}


class NoTenant(DomainError):
    code = "no_tenant"
    status = 403
    title = "This person belongs to no active tenant."


class InvalidCredential(DomainError):
    code = "invalid_credential"
    status = 401
    title = "The credential is not valid, or no longer."


class WrongLogin(DomainError):
    code = "wrong_login"
    status = 401
    title = "Email, password or tenant is not right."
