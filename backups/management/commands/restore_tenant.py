"""`manage.py restore_tenant`: a backup in the place of the present state, or as a new tenant."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any
from uuid import UUID

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from backups import queries, restoring
from backups.swapping import Difference
from tenants.context import Actor
from tenants.management.operator_command import OperatorCommand

_BY = Actor.system("restore_tenant")


class Command(OperatorCommand):
    help = (
        "Put a tenant back to a backup of its own, after a backup of how it is; or make a new"
        " tenant of one, also when the old one is gone. Needs DATABASE_OWNER_URL,"
        " DATABASE_BACKUP_URL and BACKUP_KEYS."
        " Example: manage.py restore_tenant acme --backup 0192… --into acme-then"
    )

    def arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug")
        parser.add_argument("--backup", type=_id, metavar="ID", help="the newest, if left out")
        parser.add_argument("--into", metavar="NEWSLUG", help="leave the tenant, make a new one")
        parser.add_argument(
            "--dry-run",
            action="store_true",
            help="read it all, tell the difference, change nothing",
        )

    def carry_out(self, **options: Any) -> dict[str, Any]:
        slug, into = options["slug"], options["into"]
        if into and options["dry_run"]:
            raise CommandError("A new tenant differs in every row: --dry-run goes without --into.")
        entry = queries.of_tenant(slug, options["backup"] or queries.newest_of(slug))

        def report(line: str) -> None:
            self.say(f"{into or slug}: {line}", options)

        if options["dry_run"]:
            return self._told(slug, restoring.compare(entry=entry, report=report), options)
        how: dict[str, Any] = {"entry": entry, "by": _BY, "now": timezone.now(), "report": report}
        done = restoring.restore_into(slug=into, **how) if into else restoring.restore(**how)
        told = self._told(done.tenant.slug, done.differences, options)
        return {**told, "backup": entry.backup, "undo": done.undo}

    def _told(self, slug: str, found: Any, options: dict[str, Any]) -> dict[str, Any]:
        differing: list[Difference] = [each for each in found if not each.is_none]
        for each in differing:
            self.say(
                f"{each.table}: {each.missing} missing, {each.extra} extra, {each.changed} changed",
                options,
            )
        if not differing:
            self.say("no difference", options)
        return {"slug": slug, "differences": [asdict(each) for each in differing]}


def _id(text: str) -> UUID:
    return UUID(text)
