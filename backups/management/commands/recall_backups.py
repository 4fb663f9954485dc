"""`manage.py recall_backups`: the catalogue read back from the storage."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from backups import recalling
from tenants.management.operator_command import OperatorCommand


class Command(OperatorCommand):
    help = (
        "Have the database know again of tenants' backups that are in the storage and that it does"
        " not know, such as after it was brought back from before they were taken. Each is read to"
        " its end; what was altered, or is another tenant's, is refused, and the command exits 1"
        " once the others are back. Safe to run twice. Needs BACKUP_KEYS."
        " Example: manage.py recall_backups --dry-run"
    )

    def arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="read, and change nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        self.refused: dict[str, str] = {}
        super().handle(*args, **options)
        if self.refused:
            told = ", ".join(f"{name} ({fault})" for name, fault in self.refused.items())
            raise CommandError(f"refused: {told}")

    def carry_out(self, **options: Any) -> dict[str, Any]:
        dry_run = bool(options["dry_run"])
        found = recalling.recall(
            by="system:recall_backups",
            now=timezone.now(),
            report=lambda line: self.say(line, options),
            dry_run=dry_run,
        )
        self.refused = found.refused
        verb = "would be known again" if dry_run else "are known again"
        self.say(f"{len(found.backups)} {verb}, {len(found.refused)} refused", options)
        return {"dry_run": dry_run, "recalled": found.backups, "refused": found.refused}
