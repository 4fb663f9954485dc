"""`manage.py delete_tenant`: a tenant goes for good."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from tenants import queries
from tenants.deletion import actions as deletion
from tenants.lifecycle import workflow
from tenants.management.operator_command import OperatorCommand
from tenants.models import Tenant


class Command(OperatorCommand):
    help = (
        "Delete a tenant for good: its rows, people, keys, caches and files. Its slug stays taken."
        " Broken off, the same command goes on. Example: manage.py delete_tenant acme --yes"
    )

    def arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug")
        parser.add_argument("--yes", action="store_true", help="there is no way back")

    def carry_out(self, **options: Any) -> dict[str, Any]:
        slug, now = options["slug"], timezone.now()
        tenant = queries.listing(is_whole=True).filter(slug=slug).first()
        if tenant is None:
            raise CommandError(f"There is no tenant {slug!r}.")
        if not options["yes"]:
            raise CommandError(f"All of {slug} goes for good. Say --yes if you mean it.")
        changed = tenant.status != Tenant.Status.DELETED
        if changed:
            asked = deletion.ask(tenant=tenant, by="system:delete_tenant", now=now)

            def report(line: str) -> None:
                self.say(f"{slug}: {line}", options)

            workflow.run(asked, now=now, report=report, is_anew=True)
        else:
            self.say(f"{slug}: was deleted already", options)
        return {"slug": slug, "id": tenant.pk, "status": "deleted", "changed": changed}
