"""`manage.py change_plan`: a tenant goes by another plan, where it lives."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser

from tenants import queries
from tenants.lifecycle import plans
from tenants.management.operator_command import OperatorCommand


class Command(OperatorCommand):
    help = (
        "Have a tenant go by another plan from its next request on; its rows stay where they are."
        " A plan whose tenants live elsewhere takes graduate_tenant or demote_tenant."
        " Example: manage.py change_plan acme pro"
    )

    def arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug")
        parser.add_argument("plan")

    def carry_out(self, **options: Any) -> dict[str, Any]:
        slug, plan = options["slug"], options["plan"]
        tenant = queries.by_slug(slug)
        if tenant is None:
            raise CommandError(f"There is no tenant {slug!r}.")
        changed = tenant.tier != plan
        if changed:
            plans.assign(tenant=tenant, plan=plan, by="system:change_plan")
        self.say(f"{slug}: {plan}" + ("" if changed else " already"), options)
        return {"slug": slug, "plan": plan, "before": tenant.tier, "changed": changed}
