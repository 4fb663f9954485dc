"""`manage.py emergency_lock on|off [--tenant SLUG]`."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from config.api.errors import DomainError
from tenants import queries
from tenants.lifecycle import emergency


class Command(BaseCommand):
    help = (
        "Close the data of one tenant, or of all: 503, while log-in and health stay open."
        " Example: manage.py emergency_lock on --tenant acme"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("state", choices=["on", "off"])
        parser.add_argument("--tenant", metavar="SLUG", help="this one alone; without it, all")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        slug = options["tenant"]
        tenant = queries.by_slug(slug) if slug else None
        if slug and tenant is None:
            raise CommandError(f"There is no tenant {slug!r}.")
        is_on, by = options["state"] == "on", "system:emergency_lock"
        try:
            if is_on:
                emergency.lock(tenant=tenant, by=by, now=timezone.now())
            else:
                emergency.unlock(tenant=tenant, by=by)
        except DomainError as fault:
            raise CommandError(f"{fault.detail} Is Valkey running?") from fault
        if options["json"]:
            self.stdout.write(json.dumps({"tenant": slug, "locked": is_on}))
        else:
            whose = slug or "everybody"
            self.stdout.write(f"Data of {whose} is {'locked' if is_on else 'open'}.")
