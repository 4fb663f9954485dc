"""`manage.py migrate_fleet`: every schema has what the code brings."""

from __future__ import annotations

from tenants.management.fleet_command import FleetCommand


class Command(FleetCommand):
    help = (
        "Migrate the shared tables, then a canary among the dedicated schemas, then all others."
        " Broken off, the same command goes on. --check exits 1 when something is to be done,"
        " --lint when a migration is unsafe while a release runs. Needs DATABASE_OWNER_URL."
        " Example: manage.py migrate_fleet --canary acme --jobs 4"
    )
