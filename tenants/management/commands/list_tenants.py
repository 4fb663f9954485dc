"""`manage.py list_tenants`: who lives where, and what of them is not done."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from tenants import queries
from tenants.lifecycle import workflow
from tenants.lifecycle.workflow import Standing
from tenants.management.operator_command import OperatorCommand


class Command(OperatorCommand):
    help = (
        "List all tenants, with the step at which one stands that is not ready or not gone."
        " Example: manage.py list_tenants --json"
    )

    def arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--all", action="store_true", help="with those that were deleted")

    def carry_out(self, **options: Any) -> dict[str, Any]:
        standings = {found.workflow.tenant_id: found for found in workflow.unfinished()}
        tenants = []
        for tenant in queries.listing(is_whole=options["all"]):
            told: dict[str, Any] = {
                "slug": tenant.slug,
                "id": tenant.id,
                "tier": tenant.tier,
                "status": tenant.status,
                "schema": tenant.live_schema,
                "region": tenant.region,
                "unfinished": _told(standings.get(tenant.id)),
            }
            line = "{slug:<24} {tier:<10} {status:<12} {schema:<40} {id}"
            self.say(line.format(**told), options)
            if told["unfinished"]:
                self.say("    {work} {step}: {state} {error}".format(**told["unfinished"]), options)
            tenants.append(told)
        return {"tenants": tenants}


def _told(found: Standing | None) -> dict[str, Any] | None:
    """None for a tenant of which everything is done."""
    if found is None or found.step is None:
        return None
    step = found.step
    return {
        "work": found.workflow.kind,
        "step": step.name,
        "state": step.state,
        "attempts": step.attempts,
        "error": step.error,
    }
