"""`manage.py reseal_backups`: what seals backups goes under the first of BACKUP_KEYS."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django.core.management.base import CommandParser

from backups import resealing
from tenants.management.operator_command import OperatorCommand


class Command(OperatorCommand):
    help = (
        "Put the keys of all tenants' backups, and of the whole server's copies and WAL, under the"
        " first of BACKUP_KEYS; no archive is written anew. Safe to run twice. All workers have the"
        " new key by then; the old one may go once this ends without an error and finds nothing"
        " more to do. Needs BACKUP_KEYS, and to write to BACKUP_STORAGE."
        " Example: BACKUP_KEYS=new,old manage.py reseal_backups --dry-run"
    )

    def arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="count, and change nothing")

    def carry_out(self, **options: Any) -> dict[str, Any]:
        dry_run = bool(options["dry_run"])
        done = resealing.reseal(
            by="system:reseal_backups",
            report=lambda line: self.say(line, options),
            dry_run=dry_run,
        )
        verb = "to re-seal" if dry_run else "re-sealed"
        self.say(f"{done.keys} keys seen, {done.resealed} {verb}", options)
        return {"dry_run": dry_run, **asdict(done)}
