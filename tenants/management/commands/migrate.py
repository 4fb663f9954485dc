"""`manage.py migrate`: as the owner, `public` and every dedicated schema."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db.migrations.autodetector import MigrationAutodetector

from tenants.lifecycle import fleet, migrating
from tenants.lifecycle.errors import SchemasInUse


class Command(BaseCommand):
    help = (
        "Migrate the shared tables, then every dedicated schema. Needs DATABASE_OWNER_URL."
        " Example: manage.py migrate"
    )
    requires_system_checks: list[str] = []
    autodetector = MigrationAutodetector  # Django checks that makemigrations uses the same

    def handle(self, *args: Any, **options: Any) -> None:
        verbosity = options["verbosity"]
        try:
            with fleet.changed_by_us():
                migrating.migrate_public(self.stdout.write, verbosity=verbosity)
                migrating.migrate_dedicated(self.stdout.write, verbosity=verbosity)
        except SchemasInUse as fault:
            raise CommandError(f"{fault.code}: {fault.detail}") from fault
