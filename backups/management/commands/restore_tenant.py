"""`manage.py restore_tenant`: a backup, or an instant, in the place of the present state, or as a
new tenant."""

from __future__ import annotations

from argparse import ArgumentTypeError
from contextlib import suppress
from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from backups import queries, restoring
from backups.archive.entry import Entry
from backups.platform import actions as platform
from backups.platform.phases import Phases
from backups.restoring import Restored
from backups.swapping import Difference
from tenants.context import Actor
from tenants.management.operator_command import OperatorCommand

_BY = Actor.system("restore_tenant")


class Command(OperatorCommand):
    help = (
        "Put a tenant back to a backup of its own, or to what it was at an instant, after a backup"
        " of how it is; or make a new tenant of that, also when the old one is gone. The others go"
        " on. Needs DATABASE_OWNER_URL, DATABASE_BACKUP_URL and BACKUP_KEYS, and for an instant a"
        " copy by backup_platform from before it."
        " Example: manage.py restore_tenant acme --at 2026-11-21T10:15:00Z --into acme-then"
    )

    def arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug")
        of = parser.add_mutually_exclusive_group()
        of.add_argument("--backup", type=_id, metavar="ID", help="the newest, if left out")
        of.add_argument(
            "--at",
            type=_instant,
            metavar="TIME",
            help="all that was committed by then; in ISO 8601 with its zone",
        )
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
        phases = Phases(lambda line: self.say(f"{into or slug}: {line}", options))
        entry = _entry(slug, options, phases)
        if options["dry_run"]:
            with phases.phase("compared"):
                found = restoring.compare(entry=entry, report=phases.report)
            told = self._told(slug, found, options)
        else:
            with phases.phase("put back"):
                done = _restored(entry, into, phases)
            told = self._told(done.tenant.slug, list(done.differences), options)
            told["undo"] = done.undo
        return {**told, "backup": entry.backup, "seconds": phases.seconds}

    def _told(self, slug: str, found: list[Difference], options: dict[str, Any]) -> dict[str, Any]:
        differing = [each for each in found if not each.is_none]
        for each in differing:
            self.say(
                f"{each.table}: {each.missing} missing, {each.extra} extra, {each.changed} changed",
                options,
            )
        if not differing:
            self.say("no difference", options)
        return {"slug": slug, "differences": [asdict(each) for each in differing]}


def _entry(slug: str, options: dict[str, Any], phases: Phases) -> Entry:
    """What is to be put back; of an instant a backup is made first."""
    if at := options["at"]:
        return platform.of_instant(slug=slug, at=at, by=_BY.name, now=timezone.now(), phases=phases)
    return queries.of_tenant(slug, options["backup"] or queries.newest_of(slug))


def _restored(entry: Entry, into: str | None, phases: Phases) -> Restored:
    how: dict[str, Any] = {"by": _BY, "now": timezone.now(), "report": phases.report}
    if into:
        return restoring.restore_into(entry=entry, slug=into, **how)
    return restoring.restore(entry=entry, **how)


def _id(text: str) -> UUID:
    return UUID(text)


def _instant(text: str) -> datetime:
    """Without a zone it would be another instant on another machine."""
    with suppress(ValueError):
        at = datetime.fromisoformat(text)
        if at.tzinfo is not None and "T" in text:
            return at
    raise ArgumentTypeError(f"{text!r} is no instant such as 2026-11-21T10:15:00Z")
