"""`manage.py migrate`: `migrate_fleet`, and what the owner keeps in `public` is looked after."""

from __future__ import annotations

from tenants.management.fleet_command import FleetCommand


class Command(FleetCommand):
    help = (
        "As migrate_fleet; and the ticket key, the blueprint and the record of PostgreSQL's"
        " functions are put right in any case. Example: manage.py migrate"
    )
    upkeep = True
