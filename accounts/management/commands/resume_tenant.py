"""`manage.py resume_tenant`: people log in again."""

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
        "Let a suspended tenant's people log in again, and its API keys work; safe to run twice."
        " Example: manage.py resume_tenant acme"
    )

    def arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug")

    def carry_out(self, **options: Any) -> dict[str, Any]:
        tenant = queries.by_slug(options["slug"])
        if tenant is None:
            raise CommandError(f"There is no tenant {options['slug']!r}.")
        changed = suspension.resume_tenant(
            tenant=tenant, by=Actor.system("resume_tenant"), now=timezone.now()
        )
        self.say(f"{tenant.slug}: {'resumed' if changed else 'was not suspended'}", options)
        return {"slug": tenant.slug, "status": tenant.status, "changed": changed}
