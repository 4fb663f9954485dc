"""`manage.py prune_backups`: what no plan keeps goes, and what leads to no instant that is kept."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from backups import actions
from backups.platform import actions as platform
from tenants.management.operator_command import OperatorCommand


class Command(OperatorCommand):
    help = (
        "Remove backups that no plan keeps any more, what was broken off, and copies of the whole"
        " server, with their WAL, that lead to no instant of PLATFORM_BACKUP_DAYS."
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
        whole = platform.prune(now=timezone.now(), by="system:prune_backups", dry_run=dry_run)
        self.say(f"of the platform: {len(whole.bases)} copies, {whole.wal} WAL {verb}", options)
        for name, code in whole.unfit.items():
            self.say(f"{name} cannot be read, and stays: {code}", options)
        return {
            "dry_run": dry_run,
            "removed": [backup.id for backup in gone],
            "bases_removed": [base.id for base in whole.bases],
            "wal_removed": whole.wal,
            "unfit": whole.unfit,
        }
