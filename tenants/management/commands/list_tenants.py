"""`manage.py list_tenants`: who lives where."""

from __future__ import annotations

from typing import Any

from tenants import queries
from tenants.management.operator_command import OperatorCommand


class Command(OperatorCommand):
    help = "List all tenants. Example: manage.py list_tenants --json"

    def carry_out(self, **options: Any) -> dict[str, Any]:
        tenants = [
            {
                "slug": tenant.slug,
                "id": tenant.id,
                "tier": tenant.tier,
                "status": tenant.status,
                "schema": tenant.live_schema,
                "region": tenant.region,
            }
            for tenant in queries.listing()
        ]
        for tenant in tenants:
            line = "{slug:<24} {tier:<10} {status:<12} {schema:<40} {id}"
            self.say(line.format(**tenant), options)
        return {"tenants": tenants}
