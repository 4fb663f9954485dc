"""What `graduate_tenant` and `demote_tenant` have in common."""

from __future__ import annotations

import shutil
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from tenants import queries
from tenants.management.operator_command import OperatorCommand
from tenants.models import Tenant, TenantMove
from tenants.moving import actions as moving
from tenants.moving import planning

# Copied, verified, and gone from where they were, on two cores whose rest the tenant and others ask
# for; measured by `benchmarks graduation`.
_ROWS_A_SECOND = 5_500


class MovingCommand(OperatorCommand):
    """Subclasses name their default plan and who acts."""

    plan: str
    by: str

    def arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug")
        parser.add_argument(
            "--plan", default=self.plan, help=f"the new one; {self.plan} if left out"
        )
        parser.add_argument("--dry-run", action="store_true", help="tell size, time and free disk")
        parser.add_argument(
            "--give-up", action="store_true", help="take back a move that has not switched yet"
        )

    def carry_out(self, **options: Any) -> dict[str, Any]:
        tenant = queries.by_slug(options["slug"])
        if tenant is None:
            raise CommandError(f"There is no tenant {options['slug']!r}.")
        if options["dry_run"]:
            return self._measure(tenant, options)
        how: dict[str, Any] = {"tenant": tenant, "by": self.by, "now": timezone.now()}

        def report(line: str) -> None:
            self.say(f"{tenant.slug}: {line}", options)

        if options["give_up"]:
            return _told(moving.give_up(**how, report=report))
        return _told(moving.move(**how, plan=options["plan"], report=report))

    def _measure(self, tenant: Tenant, options: dict[str, Any]) -> dict[str, Any]:
        found = planning.size(tenant=tenant, plan=options["plan"], now=timezone.now())
        seconds, free = round(found.rows / _ROWS_A_SECOND, 1), _free_disk()
        self.say(f"{tenant.slug}: {found.rows} rows, {found.bytes} bytes without indexes", options)
        self.say(f"about {seconds} s; the tenant goes on meanwhile", options)
        told = "the database is elsewhere, look there" if free is None else f"{free} bytes"
        self.say(f"free disk: {told}; a move needs about three times the bytes", options)
        return {
            "slug": tenant.slug,
            "rows": found.rows,
            "bytes": found.bytes,
            "seconds": seconds,
            "free_disk": free,
        }


def _told(move: TenantMove) -> dict[str, Any]:
    return {
        "slug": move.tenant.slug,
        "placement": move.placement,
        "plan": move.plan_id,
        "phase": move.phase,
        "steps": move.steps,
    }


def _free_disk() -> int | None:
    """Of the embedded database; of any other nobody here can tell."""
    folder = settings.BULKHEAD_DATA_DIR / "postgres"
    return shutil.disk_usage(folder).free if folder.exists() else None
