"""`manage.py provision_roles`: the database roles and what they may do."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote, urlsplit

import psycopg
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from tenants.backend.routers import OWNER_ALIAS
from tenants.lifecycle import role_provisioning
from tenants.roles import APP, BACKUP, OWNER


class Command(BaseCommand):
    help = (
        "Make the database roles and revoke what could pass the walls. Needs"
        " DATABASE_SUPERUSER_URL. Example: manage.py provision_roles"
    )
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        superuser = settings.DATABASE_SUPERUSER_URL
        if not superuser:
            raise CommandError("Set DATABASE_SUPERUSER_URL to a log-in that may make roles.")
        passwords = role_provisioning.Passwords(_passwords())
        try:
            lines = role_provisioning.provision(superuser, passwords)
        except psycopg.Error as fault:
            raise CommandError(f"The roles could not be made: {fault}") from fault
        for line in lines:
            self.stdout.write(line)


def _passwords() -> dict[str, str]:
    """By role; "" for one whose log-in this process is not given."""
    databases = settings.DATABASES
    return {
        APP: databases["default"]["PASSWORD"],
        OWNER: databases.get(OWNER_ALIAS, {}).get("PASSWORD", ""),
        BACKUP: unquote(urlsplit(settings.DATABASE_BACKUP_URL).password or ""),
    }
