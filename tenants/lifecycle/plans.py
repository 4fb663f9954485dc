"""What may be done with plans."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction

from tenants import afterwards, door, trail
from tenants.lifecycle.errors import PlanUnfit, UnknownPlan
from tenants.models import Plan, Tenant, TenantMove


def change(*, plan: Plan, changed: Sequence[str], by: str) -> None:
    """Store a plan; every process goes by its new limits from the next request on.

    Where Valkey is away at that moment, within half a minute.
    """
    known = Plan.objects.filter(pk=plan.pk).values(*changed).first() if changed else None
    with transaction.atomic():
        plan.save()
        after = {name: getattr(plan, name) for name in changed}
        trail.record("plan.changed", by=by, kind="plan", key=plan.pk, before=known, after=after)
        afterwards.do(door.limits_have_changed)


def assign(*, tenant: Tenant, plan: str, by: str) -> None:
    """Have a tenant go by another plan, from its next request on; its rows stay where they are.

    Raises UnknownPlan; PlanUnfit for a plan whose tenants live elsewhere, which a move leads to,
    and for a tenant that is moved or deleted.
    """
    found = Plan.objects.filter(code=plan).first()
    if found is None:
        raise UnknownPlan(f"There is no plan {plan!r}.")
    with transaction.atomic():
        locked = Tenant.objects.select_for_update().get(pk=tenant.pk)
        _check_fits(locked, found)
        Tenant.objects.filter(pk=locked.pk).update(plan=found)
        known, after = {"plan": locked.plan_id}, {"plan": found.pk}
        key = locked.slug
        trail.record(
            "tenant.plan_changed", by=by, kind="tenant", key=key, before=known, after=after
        )
        afterwards.do(door.limits_have_changed)


def _check_fits(tenant: Tenant, plan: Plan) -> None:
    """Raises PlanUnfit."""
    if tenant.status not in (Tenant.Status.ACTIVE, Tenant.Status.SUSPENDED):
        raise PlanUnfit(f"{tenant.slug} is {tenant.status}.")
    if TenantMove.objects.filter(tenant=tenant, finished_at=None).exists():
        raise PlanUnfit(f"{tenant.slug} is being moved, and gets a plan with that.")
    is_dedicated = tenant.placement == Tenant.Placement.DEDICATED
    if plan.has_own_schema != is_dedicated:
        verb = "graduate" if plan.has_own_schema else "demote"
        by = f"{verb}_tenant {tenant.slug} --plan {plan.pk}"
        raise PlanUnfit(f"Tenants on {plan.name} live elsewhere: {verb} the tenant ({by}).")
