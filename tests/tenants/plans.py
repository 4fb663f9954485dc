"""Plans of a test's own: narrow ones, that no other test's tenants are on."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from tenants.lifecycle import plans
from tenants.models import Plan, Tenant


def put_on_own_plan(tenant: Tenant, **limits: Any) -> Plan:
    """The tenant's plan of before in all but these limits; every process goes by it at once."""
    plan = Plan.objects.get(pk=tenant.plan_id)
    plan.pk, plan.name = f"p{uuid4().hex[:8]}", "Narrow"
    plan.save(force_insert=True)
    Tenant.objects.filter(pk=tenant.pk).update(plan=plan)
    change(plan, **limits)
    return plan


def change(plan: Plan, **limits: Any) -> None:
    """As the staff does."""
    for name, value in limits.items():
        setattr(plan, name, value)
    plans.change(plan=plan, changed=list(limits), by="staff:test")
