"""`manage.py suspend_tenant`: nobody gets in any more, and whoever is in is out at once."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from accounts.suspension import actions as suspension
from tenants import queries
from tenants.context import Actor
from tenants.management.operator_command import OperatorCommand


class Command(OperatorCommand):
    help = (
        "Shut a tenant's people, API keys and support out at once; safe to run twice."
        ' Example: manage.py suspend_tenant acme --reason "invoice 17 is overdue"'
    )

    def arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug")
        parser.add_argument("--reason", required=True, help="kept with the tenant and in the trail")

    def carry_out(self, **options: Any) -> dict[str, Any]:
        tenant = queries.by_slug(options["slug"])
        if tenant is None:
            raise CommandError(f"There is no tenant {options['slug']!r}.")
        changed = suspension.suspend_tenant(
            tenant=tenant,
            reason=options["reason"],
            by=Actor.system("suspend_tenant"),
            now=timezone.now(),
        )
        said = "suspended" if changed else "was suspended already"
        self.say(f"{tenant.slug}: {said}: {tenant.status_reason}", options)
        return {
            "slug": tenant.slug,
            "status": tenant.status,
            "reason": tenant.status_reason,
            "changed": changed,
        }
