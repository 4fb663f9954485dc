"""What an operator may do with tenants."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction

from tenants import trail
from tenants.identifiers import new_id, schema_of
from tenants.lifecycle import provisioning
from tenants.lifecycle.errors import SlugTaken, UnknownPlan, UnknownRegion
from tenants.models import Plan, Tenant


def create_tenant(
    *,
    slug: str,
    name: str,
    tier: str,
    by: str,
    now: datetime,
    region: str = "default",
) -> Tenant:
    """A tenant ready for use: its row, and its schema where the plan has one.

    `by` is the name of the actor who makes it.

    Safe to run again after it was cut off: a tenant still `provisioning` is taken up where it was.
    Raises SlugTaken, UnknownPlan, UnknownRegion, or Django's ValidationError for a slug that is no
    host label.
    """
    if region not in settings.REGIONS:
        raise UnknownRegion(f"Regions: {', '.join(settings.REGIONS)}.")
    plan = Plan.objects.filter(code=tier).first()
    if plan is None:
        raise UnknownPlan(f"Plans: {', '.join(Plan.objects.values_list('code', flat=True))}.")
    tenant: Tenant | None = Tenant.objects.filter(slug=slug).first()
    if tenant is None:
        tenant = _reserve(slug=slug, name=name, plan=plan, region=region, now=now)
    elif tenant.status != Tenant.Status.PROVISIONING:
        raise SlugTaken(f"The slug {slug!r} is in use.")
    if tenant.placement == Tenant.Placement.DEDICATED:
        provisioning.create_schema(tenant.schema_name, now=now)
    tenant.status = Tenant.Status.ACTIVE
    made = {"tier": tenant.tier, "schema": tenant.live_schema, "region": tenant.region}
    with transaction.atomic():
        tenant.save(update_fields=["status"])
        trail.record("tenant.created", by=by, kind="tenant", key=slug, after=made)
    return tenant


def _reserve(*, slug: str, name: str, plan: Plan, region: str, now: datetime) -> Tenant:
    """The row first: it reserves slug and schema name, and shows what is being made."""
    tenant_id = new_id()
    placement = Tenant.Placement.DEDICATED if plan.has_own_schema else Tenant.Placement.SHARED
    tenant = Tenant(
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
        tenant.full_clean()
    except ValidationError as fault:
        if "slug" in fault.error_dict and Tenant.objects.filter(slug=slug).exists():
            raise SlugTaken(f"The slug {slug!r} is in use.") from fault
        raise
    tenant.save(force_insert=True)
    return tenant
