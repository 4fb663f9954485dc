"""`manage.py reseal_backups`: what seals backups goes under the first of BACKUP_KEYS."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django.core.management.base import CommandError, CommandParser

from backups import resealing
from tenants import queries
from tenants.management.operator_command import OperatorCommand

_BY = "system:reseal_backups"


class Command(OperatorCommand):
    help = (
        "Put the keys of all tenants' backups, and of the whole server's copies and WAL, under the"
        " first of BACKUP_KEYS; no archive is written anew. Safe to run twice. All workers have the"
        " new key by then; the old one may go once this ends without an error and finds nothing"
        " more to do. With --renew one tenant's backups have a new key of its own from now on, and"
        " nothing else is done. Needs BACKUP_KEYS, and to write to BACKUP_STORAGE."
        " Example: BACKUP_KEYS=new,old manage.py reseal_backups --dry-run"
    )

    def arguments(self, parser: CommandParser) -> None:
        what = parser.add_mutually_exclusive_group()
        what.add_argument("--dry-run", action="store_true", help="count, and change nothing")
        what.add_argument("--renew", metavar="SLUG", help="whose key may have leaked")

    def carry_out(self, **options: Any) -> dict[str, Any]:
        if options["renew"]:
            return self._renew(options["renew"], options)
        dry_run = bool(options["dry_run"])
        done = resealing.reseal(
            by=_BY,
            report=lambda line: self.say(line, options),
            dry_run=dry_run,
        )
        verb = "to re-seal" if dry_run else "re-sealed"
        self.say(f"{done.keys} keys seen, {done.resealed} {verb}", options)
        return {"dry_run": dry_run, **asdict(done)}

    def _renew(self, slug: str, options: dict[str, Any]) -> dict[str, Any]:
        tenant = queries.by_slug(slug)
        if tenant is None:
            raise CommandError(f"There is no tenant {slug!r}.")
        key = resealing.renew(tenant=tenant, by=_BY)
        self.say(f"{slug}: backups from now on have key {key}", options)
        return {"slug": slug, "key": key}
