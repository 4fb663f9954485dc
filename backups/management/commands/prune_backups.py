"""`manage.py prune_backups`: what no plan keeps goes."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from backups import actions
from tenants.management.operator_command import OperatorCommand


class Command(OperatorCommand):
    help = (
        "Remove backups that no plan keeps any more, and what was broken off."
        " Example: manage.py prune_backups --dry-run"
    )

    def arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="list, and remove nothing")

    def carry_out(self, **options: Any) -> dict[str, Any]:
        dry_run = bool(options["dry_run"])
        gone = actions.prune(now=timezone.now(), dry_run=dry_run)
        verb = "would go" if dry_run else "removed"
        for backup in gone:
            self.say(f"{backup.slug}: {backup.taken_at} {backup.id} {verb}", options)
        self.say(f"{len(gone)} {verb}", options)
        return {"dry_run": dry_run, "removed": [backup.id for backup in gone]}
