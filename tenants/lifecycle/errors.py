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


class UnknownRegion(DomainError):
    code = "unknown_region"
    status = 400
    title = "There is no such region."
