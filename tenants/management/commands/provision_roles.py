"""`manage.py provision_roles`: the database roles and what they may do."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote, urlsplit

import psycopg
from django.core.management.base import BaseCommand, CommandError

from config.settings.base import env
from tenants.lifecycle import role_provisioning
from tenants.roles import APP, BACKUP, OWNER

_VARIABLES = {APP: "DATABASE_URL", OWNER: "DATABASE_OWNER_URL", BACKUP: "DATABASE_BACKUP_URL"}


class Command(BaseCommand):
    help = (
        "Make the database roles and revoke what could pass the walls. Needs"
        " DATABASE_SUPERUSER_URL. Example: manage.py provision_roles"
    )
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        superuser = env.str("DATABASE_SUPERUSER_URL", default="")
        if not superuser:
            raise CommandError("Set DATABASE_SUPERUSER_URL to a log-in that may make roles.")
        passwords = {
            role: unquote(urlsplit(env.str(variable, default="")).password or "")
            for role, variable in _VARIABLES.items()
        }
        try:
            lines = role_provisioning.provision(superuser, role_provisioning.Passwords(passwords))
        except psycopg.Error as fault:
            raise CommandError(f"The roles could not be made: {fault}") from fault
        for line in lines:
            self.stdout.write(line)
