"""What can go wrong while all schemas are migrated."""

from config.api.errors import DomainError


class NoSuchCanary(DomainError):
    code = "no_such_canary"
    status = 404
    title = "The canary has to be a tenant with a schema of its own."


class HalfSquashed(DomainError):
    code = "half_squashed"
    status = 409
    title = "The schema has some of the migrations that a squashed one replaces, and not all."
