"""`manage.py provision_tenant`: goes on making a tenant that is not ready."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from tenants import queries
from tenants.lifecycle import actions as lifecycle
from tenants.lifecycle import workflow
from tenants.management.operator_command import OperatorCommand


class Command(OperatorCommand):
    help = (
        "Go on with a tenant that is not ready, also where a step has failed for good; one that is"
        " ready stays as it is. Example: manage.py provision_tenant acme"
    )

    def arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug")

    def carry_out(self, **options: Any) -> dict[str, Any]:
        slug = options["slug"]
        tenant = queries.by_slug(slug)
        if tenant is None:
            raise CommandError(f"There is no tenant {slug!r}.")
        left = lifecycle.unfinished(tenant)
        if left is not None:

            def report(line: str) -> None:
                self.say(f"{slug}: {line}", options)

            workflow.run(left, now=timezone.now(), report=report, is_anew=True)
            tenant.refresh_from_db()
        self.say(f"{slug}: {tenant.status}", options)
        return {"slug": slug, "status": tenant.status, "changed": left is not None}
