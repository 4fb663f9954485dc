"""`manage.py check_isolation`: every schema of the live database against the walls."""

from __future__ import annotations

from dataclasses import asdict
from itertools import groupby
from typing import Any

from django.core.management.base import CommandError
from django.db import connections

from tenants.backend.routers import OWNER_ALIAS
from tenants.catalogue import inspection
from tenants.catalogue.inspection import Inspection
from tenants.lifecycle.errors import OwnerLoginMissing
from tenants.management.operator_command import OperatorCommand


class Command(OperatorCommand):
    help = (
        "Read the live catalogue of every schema and list each gap in the tenants' isolation, with"
        " what to do. Exits 1 on any. Needs DATABASE_OWNER_URL."
        " Example: manage.py check_isolation --json"
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
        return asdict(self.found)


def _where(found: Inspection) -> str:
    return f"{found.tables} tables in {found.schemas} schemas"
