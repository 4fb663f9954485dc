"""`manage.py verify_backups`: the newest backup of each tenant is put back beside the live rows."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from backups import queries, verifying
from tenants.management.operator_command import OperatorCommand


class Command(OperatorCommand):
    help = (
        "Put the newest backup of every tenant, or of one, into temporary tables, compare it with"
        " what it says of itself, and note the result. Exits 1 when one cannot be put back. Needs"
        " DATABASE_OWNER_URL and BACKUP_KEYS. Example: manage.py verify_backups acme"
    )

    def arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug", nargs="?", help="one tenant; without, all that have a backup")
        parser.add_argument(
            "--most", type=int, metavar="N", help="those tried longest ago, and no more than N"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        self.unfit: list[str] = []
        super().handle(*args, **options)
        if self.unfit:
            raise CommandError(f"cannot be put back: {', '.join(self.unfit)}")

    def carry_out(self, **options: Any) -> dict[str, Any]:
        slug = options["slug"]
        chosen = [queries.newest_of(slug)] if slug else queries.to_try(most=options["most"])
        told = []
        for number, backup_id in enumerate(chosen, start=1):
            tried = verifying.verify(backup_id=backup_id, now=timezone.now())
            if tried.verified_fault:
                self.unfit.append(f"{tried.slug} ({tried.verified_fault})")
            result = tried.verified_fault or f"whole, {tried.rows} rows"
            self.say(f"{number}/{len(chosen)} {tried.slug}: {tried.id} {result}", options)
            told.append({"slug": tried.slug, "backup": tried.id, "fault": tried.verified_fault})
        return {"tried": told, "unfit": len(self.unfit)}
