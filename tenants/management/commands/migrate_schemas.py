"""django-tenants' name for it leads to ours."""

from tenants.management.commands.migrate import Command

__all__ = ["Command"]
