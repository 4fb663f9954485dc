"""What can stand in the way of a new colleague."""

from config.api.errors import DomainError


class PersonKnown(DomainError):
    code = "person_known"
    status = 409
    title = "There is a person with this email already. Staff have an address of their own."
