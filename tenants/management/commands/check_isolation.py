"""`manage.py check_isolation`: every schema of the live database against the walls."""

from __future__ import annotations

from dataclasses import asdict
from itertools import groupby
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db import connections

from tenants.backend.routers import OWNER_ALIAS
from tenants.catalogue import inspection
from tenants.catalogue.distribution import Kind, Place
from tenants.catalogue.inspection import Inspection
from tenants.lifecycle.errors import OwnerLoginMissing
from tenants.management.operator_command import OperatorCommand


class Command(OperatorCommand):
    help = (
        "Read the live catalogue of every schema and list each gap in the tenants' isolation, with"
        " what to do. Exits 1 on any. Needs DATABASE_OWNER_URL."
        " Example: manage.py check_isolation --json"
    )

    def arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--places",
            action="store_true",
            help="say too what each table would be on more machines than one (docs/scaling.md)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        self.found = Inspection((), 0, 0)
        super().handle(*args, **options)
        if self.found.gaps:
            count = len(self.found.gaps)
            raise CommandError(f"{count} gap{'s'[: count > 1]} in {_where(self.found)}")

    def carry_out(self, **options: Any) -> dict[str, Any]:
        if OWNER_ALIAS not in connections:
            raise OwnerLoginMissing("Set DATABASE_OWNER_URL: only the owner can read it all.")
        self.found = inspection.inspect(OWNER_ALIAS)
        for schema, gaps in groupby(self.found.gaps, key=lambda gap: gap.schema):
            self.say(f"{schema}:", options)
            for gap in gaps:
                self.say(f"  {gap.object} [{gap.code}] {gap.sentence}", options)
        if not self.found.gaps:
            self.say(f"{_where(self.found)}: no gap", options)
        return asdict(self.found) | (self._places(options) if options["places"] else {})

    def _places(self, options: dict[str, Any]) -> dict[str, Any]:
        found = inspection.places(OWNER_ALIAS)
        for kind, places in groupby(found, key=lambda place: place.kind):
            self.say(f"{kind}: {_told(kind, list(places))}", options)
        return {"places": [asdict(place) for place in found]}


def _told(kind: Kind, places: list[Place]) -> str:
    """The tables' names; of shards, which all have the same ones, how many there are."""
    if kind is Kind.SHARD:
        return f"{len({place.schema for place in places})} schemas"
    return ", ".join(place.table for place in places)


def _where(found: Inspection) -> str:
    return f"{found.tables} tables in {found.schemas} schemas"
