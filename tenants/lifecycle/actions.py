"""What an operator may do with tenants."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Any

from django.core.validators import validate_email
from django.db import IntegrityError, transaction

from tenants import afterwards, trail
from tenants.lifecycle import making, reserving, tasks, workflow
from tenants.lifecycle.errors import MadeOtherwise, SlugTaken
from tenants.models import Tenant, TenantWorkflow

Kind = TenantWorkflow.Kind


def create_tenant(
    *,
    slug: str,
    name: str,
    tier: str,
    by: str,
    now: datetime,
    region: str = "default",
) -> Tenant:
    """A tenant ready for use at once, and nobody's yet: its row, and its schema where it has one.

    `by` is an actor's name. A shared one can be made in the caller's transaction.

    Safe to run again after it was cut off: a tenant still `provisioning` is taken up where it was,
    unless it is made in steps.
    Raises SlugTaken, UnknownPlan, UnknownRegion, or Django's ValidationError for a slug that is no
    host label.
    """
    plan = reserving.plan(tier)
    tenant: Tenant | None = Tenant.objects.filter(slug=slug).first()
    if tenant is None:
        tenant = _reserve(slug=slug, name=name, plan=plan, region=region, now=now)
    elif not _is_in_the_making(tenant) or unfinished(tenant) is not None:
        raise SlugTaken(f"The slug {slug!r} is in use.")
    making.schema_of(tenant, now=now)
    making.open_tenant(tenant, by=by)
    return tenant


def start_provisioning(**wish: Any) -> TenantWorkflow:
    """What `ask_for_tenant` does, and the operator's worker carries it out after the commit.

    A message that is lost is sent again by a timer.
    """
    with transaction.atomic():
        asked = ask_for_tenant(**wish)
        workflow.try_again(asked)
        send = partial(tasks.carry_on.delay, str(asked.pk))
        afterwards.do(send)
    return asked


def ask_for_tenant(
    *,
    slug: str,
    name: str,
    tier: str,
    owner_email: str,
    by: str,
    now: datetime,
    region: str = "default",
) -> TenantWorkflow:
    """Reserve a tenant and store what is left to do; one that is not ready yet is taken up.

    Raises SlugTaken, UnknownPlan, UnknownRegion, MadeOtherwise, or Django's ValidationError.
    """
    validate_email(owner_email)
    plan = reserving.plan(tier)
    with transaction.atomic():
        found = Tenant.objects.select_for_update().filter(slug=slug).first()
        tenant = found or _reserve_first(slug=slug, name=name, plan=plan, region=region, now=now)
        asked = TenantWorkflow.objects.filter(tenant=tenant, kind=Kind.PROVISION).first()
        if not _is_in_the_making(tenant) and (asked is None or asked.finished_at):
            raise SlugTaken(f"The slug {slug!r} is in use.")
        owner = asked.owner_email if asked else owner_email
        if (tenant.tier, tenant.region, owner) != (tier, region, owner_email):
            raise MadeOtherwise
        return asked or _begin(tenant, owner_email, by=by, now=now)


def unfinished(tenant: Tenant) -> TenantWorkflow | None:
    """What is left of making it."""
    rows = TenantWorkflow.objects.select_related("tenant__plan")
    return rows.filter(tenant=tenant, kind=Kind.PROVISION, finished_at=None).first()


def _begin(tenant: Tenant, owner_email: str, *, by: str, now: datetime) -> TenantWorkflow:
    trail.record("tenant.provisioning_begun", by=by, kind="tenant", key=tenant.slug)
    return workflow.begin(
        tenant=tenant, kind=Kind.PROVISION, owner_email=owner_email, by=by, now=now
    )


def _reserve_first(**terms: Any) -> Tenant:
    """Raises SlugTaken where somebody was quicker."""
    try:
        with transaction.atomic():
            return _reserve(**terms)
    except IntegrityError as fault:
        raise SlugTaken(f"The slug {terms['slug']!r} is in use.") from fault


def _is_in_the_making(tenant: Tenant) -> bool:
    """And nothing is in it yet: one with a reason is made of something, by who began it."""
    return tenant.status == Tenant.Status.PROVISIONING and not tenant.status_reason


def _reserve(**terms: Any) -> Tenant:
    """The row first: it reserves slug and schema name, and shows what is being made.

    Raises UnknownRegion, SlugTaken, or Django's ValidationError.
    """
    tenant = reserving.tenant(**terms)
    tenant.save(force_insert=True)
    return tenant
