"""`manage.py verify_audit`: every chain of audit events, from the first link to the head."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser

from accounts.audit import verification
from accounts.audit.verification import Finding
from tenants.errors import UnknownTenant
from tenants.management.operator_command import OperatorCommand
from tenants.models import Tenant

PLATFORM = "(platform)"


class Command(OperatorCommand):
    help = (
        "Recompute the chain of audit events of every tenant and of the platform, or of one"
        " tenant. Prints number and digest of each end, to be kept where this database cannot"
        " reach: a chain written anew ends otherwise. Exits 1 on anything wrong."
        " Example: manage.py verify_audit acme --json"
    )

    def arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug", nargs="?", help="one tenant; without, all and the platform")

    def handle(self, *args: Any, **options: Any) -> None:
        self.broken: list[str] = []
        super().handle(*args, **options)
        if self.broken:
            raise CommandError(f"the audit trail is broken: {', '.join(self.broken)}")

    def carry_out(self, *, slug: str | None = None, **options: Any) -> dict[str, Any]:
        found: dict[str, Any] = {}
        unread = []
        if slug is None:
            found[PLATFORM] = self._tell(PLATFORM, verification.of_platform(), options)
        for tenant in self._tenants(slug):
            if tenant.status == Tenant.Status.ACTIVE:
                finding = verification.of_tenant(tenant)
                found[tenant.slug] = self._tell(tenant.slug, finding, options)
            else:
                unread.append(tenant.slug)
                self.say(f"{tenant.slug}: {tenant.status}, and so not read", options)
        return {"chains": found, "not_read": unread}

    def _tenants(self, slug: str | None) -> list[Tenant]:
        """Raises UnknownTenant."""
        tenants = Tenant.objects.order_by("slug")
        chosen = list(tenants if slug is None else tenants.filter(slug=slug))
        if slug is not None and not chosen:
            raise UnknownTenant(f"There is no tenant {slug!r}.")
        return chosen

    def _tell(self, name: str, finding: Finding, options: dict[str, Any]) -> dict[str, Any]:
        self.say(f"{name}: {finding.number} events, head {finding.digest}", options)
        for fault in finding.faults:
            self.say(f"  {fault.sentence}", options)
        if finding.faults:
            self.broken.append(name)
        return finding.document()
