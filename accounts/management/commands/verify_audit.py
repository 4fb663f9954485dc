"""`manage.py verify_audit`: every chain of audit events, from the first link to the head."""

from __future__ import annotations

import json
from collections.abc import Collection
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from accounts.audit import verification
from accounts.audit.past_walls import NoBackupLogIn
from accounts.audit.verification import Finding, Kept
from accounts.trail import anchors
from tenants.errors import TenantSuspended, UnknownTenant
from tenants.management.operator_command import OperatorCommand
from tenants.models import Tenant

PLATFORM = "(platform)"
Status = Tenant.Status


class Command(OperatorCommand):
    help = (
        "Recompute the chain of audit events of every tenant and of the platform, or of one"
        " tenant, and look in each tenant's for the ends that the platform's has kept of it. Prints"
        " number and digest of each end, to be kept where this database cannot reach: a chain"
        " written anew ends otherwise. Suspended tenants are read by the backup's log-in"
        " (DATABASE_BACKUP_URL). Exits 1 on anything wrong, and on any chain that was not read."
        " Example: manage.py verify_audit acme --json"
    )

    def arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug", nargs="?", help="one tenant; without, all and the platform")
        parser.add_argument(
            "--against",
            type=Path,
            metavar="FILE",
            help="what an earlier run printed with --json: its ends must still be in the chains",
        )
        parser.add_argument(
            "--active-only",
            action="store_true",
            help="tenants that are suspended or being made are named, not read, and no error",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        self.broken: list[str] = []
        self.unread: list[str] = []
        super().handle(*args, **options)
        said = [f"the audit trail is broken: {', '.join(self.broken)}"] if self.broken else []
        if self.unread and not options["active_only"]:
            said.append(f"not read, for want of the backup's log-in: {', '.join(self.unread)}")
        if said:
            raise CommandError("; ".join(said))

    def carry_out(
        self, *, slug: str | None = None, against: Path | None = None, **options: Any
    ) -> dict[str, Any]:
        found: dict[str, Any] = {}
        kept = _kept(against)
        if slug is None:
            finding = verification.of_platform(kept.get(PLATFORM, ()))
            found[PLATFORM] = self._tell(PLATFORM, finding, options)
        for tenant in self._tenants(slug):
            ends = [*kept.get(tenant.slug, ()), *anchors.of(tenant.id)]
            read = self._read(tenant, ends, active_only=bool(options["active_only"]))
            if read is None:
                self.unread.append(tenant.slug)
                self.say(f"{tenant.slug}: not active, and so not read", options)
            else:
                found[tenant.slug] = self._tell(tenant.slug, read, options)
        return {"chains": found, "not_read": self.unread}

    def _read(self, tenant: Tenant, ends: Collection[Kept], *, active_only: bool) -> Finding | None:
        """None for a chain that could not be read. Raises WrongDatabaseRole."""
        try:
            return verification.of_tenant(tenant, ends)
        except TenantSuspended:
            if active_only:
                return None
        try:
            return verification.of_closed_tenant(tenant, ends)
        except NoBackupLogIn:
            return None

    def _tenants(self, slug: str | None) -> list[Tenant]:
        """Not those whose trail goes, or has gone, with all of theirs. Raises UnknownTenant."""
        lasting = Tenant.objects.exclude(status__in=[Status.DELETING, Status.DELETED])
        tenants = lasting.order_by("slug")
        chosen = list(tenants if slug is None else tenants.filter(slug=slug))
        if slug is not None and not chosen:
            raise UnknownTenant(f"There is no tenant {slug!r}.")
        return chosen

    def _tell(self, name: str, finding: Finding, options: dict[str, Any]) -> dict[str, Any]:
        self.say(
            f"{name}: {finding.events} events, head {finding.number} {finding.digest}", options
        )
        for fault in finding.faults:
            self.say(f"  {fault.sentence}", options)
        if finding.faults:
            self.broken.append(name)
        return finding.document()


def _kept(file: Path | None) -> dict[str, tuple[Kept, ...]]:
    """The ends that were kept, by chain. Raises CommandError for a file that is none."""
    if file is None:
        return {}
    try:
        chains = json.loads(file.read_text())["chains"]
        return {name: (Kept(end["number"], end["digest"]),) for name, end in chains.items()}
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as fault:
        raise CommandError(f"{file} holds no ends of chains: {fault}") from fault
