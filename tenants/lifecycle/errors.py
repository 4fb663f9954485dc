"""What can go wrong while tenants are made, moved or ended."""

from config.api.errors import DomainError


class OwnerLoginMissing(DomainError):
    code = "owner_login_missing"
    status = 503
    title = "This process has no log-in that may change schemas."


class SchemasInUse(DomainError):
    code = "schemas_in_use"
    status = 409
    title = "Migrations and moves of tenants wait for each other."


class SlugTaken(DomainError):
    code = "slug_taken"
    status = 409
    title = "A tenant with this slug exists already."


class UnknownPlan(DomainError):
    code = "unknown_plan"
    status = 400
    title = "There is no such plan."


class PlanUnfit(DomainError):
    code = "plan_unfit"
    status = 409
    title = "The tenant cannot go by this plan now."


class MadeOtherwise(DomainError):
    code = "made_otherwise"
    status = 409
    title = "This tenant is being made on other terms: finish that first, or delete it."


class WorkUnderWay(DomainError):
    code = "work_under_way"
    status = 409
    title = "Somebody else is making or deleting this tenant."


class StepFailed(DomainError):
    code = "step_failed"
    status = 500
    title = "A step has failed; the same command goes on with it."


class NotDeletable(DomainError):
    code = "tenant_not_deletable"
    status = 409
    title = "The tenant cannot be deleted now."


class UnknownRegion(DomainError):
    code = "unknown_region"
    status = 400
    title = "There is no such region."
