"""A tenant as it is to be stored, before it is: on which plan, and whether it may be."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.core.exceptions import ValidationError

from tenants.identifiers import new_id, schema_of
from tenants.lifecycle.errors import SlugTaken, UnknownPlan, UnknownRegion
from tenants.models import Plan, Tenant


def plan(code: str) -> Plan:
    """Raises UnknownPlan."""
    found: Plan | None = Plan.objects.filter(code=code).first()
    if found is None:
        raise UnknownPlan(f"Plans: {', '.join(Plan.objects.values_list('code', flat=True))}.")
    return found


def tenant(*, slug: str, name: str, plan: Plan, region: str, now: datetime) -> Tenant:
    """Raises UnknownRegion, SlugTaken, or Django's ValidationError for a slug that is no host
    label."""
    if region not in settings.REGIONS:
        raise UnknownRegion(f"Regions: {', '.join(settings.REGIONS)}.")
    tenant_id = new_id()
    placement = Tenant.Placement.DEDICATED if plan.has_own_schema else Tenant.Placement.SHARED
    planned = Tenant(
        id=tenant_id,
        slug=slug,
        name=name,
        plan=plan,
        placement=placement,
        schema_name=schema_of(tenant_id),
        region=region,
        created_at=now,
    )
    try:
        planned.full_clean()
    except ValidationError as fault:
        if "slug" in fault.error_dict and Tenant.objects.filter(slug=slug).exists():
            raise SlugTaken(f"The slug {slug!r} is in use.") from fault
        raise
    return planned
