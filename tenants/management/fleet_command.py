"""What `migrate_fleet`, `migrate` and django-tenants' `migrate_schemas` have in common."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db import DatabaseError
from django.db.migrations.autodetector import MigrationAutodetector

from tenants.fleet import linting, planning, running
from tenants.fleet.progress import Progress
from tenants.fleet.running import Outcome, Wanted
from tenants.fleet.schemas import Brought
from tenants.identifiers import PUBLIC_SCHEMA
from tenants.management.operator_command import OperatorCommand


class FleetCommand(OperatorCommand):
    """Subclasses say whether what the owner keeps in `public` is looked after in any case."""

    upkeep = False
    autodetector = MigrationAutodetector  # Django checks that makemigrations uses the same

    def arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--check", action="store_true", help="only tell what is to be done")
        parser.add_argument("--lint", action="store_true", help="only read the migrations")
        parser.add_argument("--canary", metavar="SLUG", help="who goes first; else the oldest")
        parser.add_argument("--jobs", type=int, default=4, metavar="N", help="schemas at once; 4")

    def handle(self, *args: Any, **options: Any) -> None:
        self.complaint = ""
        try:
            super().handle(*args, **options)
        except DatabaseError as fault:
            raise CommandError(f"{PUBLIC_SCHEMA}: {fault}. Run it again.") from fault
        if self.complaint:
            raise CommandError(self.complaint)

    def carry_out(self, **options: Any) -> dict[str, Any]:
        if options["check"]:
            return self._check(options)
        if options["lint"]:
            return self._lint(options)
        return self._migrate(options)

    def _check(self, options: dict[str, Any]) -> dict[str, Any]:
        waiting = planning.due()
        for one in waiting:
            tried = f" (tried: {one.error})" if one.error else ""
            self.say(f"{one.schema} {one.slug}".rstrip() + tried, options)
        if waiting:
            self.complaint = f"To be migrated: {_schemas(len(waiting))}."
        else:
            self.say("Nothing to do.", options)
        return {"due": [asdict(one) for one in waiting]}

    def _lint(self, options: dict[str, Any]) -> dict[str, Any]:
        found = linting.lint()
        for one in found:
            self.say(f"{one.migration} [{one.code}] {one.sentence}", options)
        if found:
            self.complaint = f"Unsafe while a release runs: {len(found)}."
        else:
            self.say("No migration is unsafe while a release runs.", options)
        return {"found": [asdict(one) for one in found]}

    def _migrate(self, options: dict[str, Any]) -> dict[str, Any]:
        progress = Progress(self._write, is_terminal=self.stderr.isatty())
        done = 0

        def tell(brought: Brought, total: int) -> None:
            nonlocal done
            done += 1
            if not options["json"] and options["verbosity"]:
                progress.step(done, total, failed=bool(brought.failed))

        outcome = running.run(
            Wanted(
                canary=options["canary"],
                jobs=options["jobs"],
                upkeep=self.upkeep,
                verbosity=0 if options["json"] else options["verbosity"],
                tell=tell,
            )
        )
        self._report(outcome, options)
        return asdict(outcome)

    def _report(self, outcome: Outcome, options: dict[str, Any]) -> None:
        if outcome.is_idle:
            self.say("Nothing to do.", options)
        if outcome.public_migrated:
            self.say(f"{PUBLIC_SCHEMA}: migrated", options)
        if outcome.migrated:
            told = f"{_schemas(len(outcome.migrated))}: migrated ({outcome.seconds:.1f} s)"
            self.say(told, options)
        for name in outcome.by_django:
            self.say(f"{name} ran in each schema by itself: it is not SQL alone", options)
        for one in outcome.failed:
            self.say(f"{one.schema} ({one.slug}) failed at {one.failed}: {one.error}", options)
        if outcome.untouched:
            self.complaint = f"The canary failed; untouched: {_schemas(len(outcome.untouched))}."
        elif outcome.failed:
            self.complaint = f"Failed: {_schemas(len(outcome.failed))}. Run it again to go on."

    def say(self, line: str, options: dict[str, Any]) -> None:
        if options["verbosity"]:
            super().say(line, options)

    def _write(self, text: str) -> None:
        self.stderr.write(text, lambda plain: plain, ending="")
        self.stderr.flush()


def _schemas(count: int) -> str:
    return f"{count} schema{'s'[: count != 1]}"
