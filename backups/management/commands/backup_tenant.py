"""`manage.py backup_tenant`: a backup of one tenant, now."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from backups import actions
from backups.models import Backup
from tenants import queries
from tenants.management.operator_command import OperatorCommand


class Command(OperatorCommand):
    help = (
        "Take a backup of a tenant, whatever its status. Needs DATABASE_BACKUP_URL and BACKUP_KEYS."
        " Example: manage.py backup_tenant acme"
    )

    def arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug")

    def carry_out(self, **options: Any) -> dict[str, Any]:
        tenant = queries.by_slug(options["slug"])
        if tenant is None:
            raise CommandError(f"There is no tenant {options['slug']!r}.")
        taken = actions.take(
            tenant=tenant,
            reason=Backup.Reason.ASKED,
            by="system:backup_tenant",
            now=timezone.now(),
        )
        self.say(f"{tenant.slug}: {taken.rows} rows, {taken.size} bytes, id {taken.id}", options)
        return {
            "slug": tenant.slug,
            "backup": taken.id,
            "rows": taken.rows,
            "size": taken.size,
            "sha256": taken.sha256,
            "taken_at": taken.taken_at,
        }
