"""What makes a reserved tenant one that is ready."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from tenants import trail
from tenants.lifecycle import provisioning
from tenants.lifecycle.workflow import Work, in_one_commit
from tenants.models import Tenant


def make_schema(work: Work) -> None:
    """Tables, policies, grants: the schema is there with all of them, or not at all."""
    seconds = schema_of(work.tenant, now=work.now)
    if seconds is not None:
        work.report(f"schema {work.tenant.schema_name} ({seconds:.2f} s)")


@in_one_commit
def open_door(work: Work) -> None:
    """From now on the tenant can be entered."""
    open_tenant(work.tenant, by=work.workflow.by)
    work.report("open")


def schema_of(tenant: Tenant, *, now: datetime) -> float | None:
    """Make the schema of a tenant that is to have one; gives the seconds it took."""
    if tenant.placement != Tenant.Placement.DEDICATED:
        return None
    return provisioning.create_schema(tenant.schema_name, now=now)


@transaction.atomic
def open_tenant(tenant: Tenant, *, by: str) -> None:
    """One that is open already, or that somebody is deleting, stays as it is."""
    reserved = Tenant.objects.filter(pk=tenant.pk, status=Tenant.Status.PROVISIONING)
    if reserved.update(status=Tenant.Status.ACTIVE):
        tenant.status = Tenant.Status.ACTIVE
        made = {"tier": tenant.tier, "schema": tenant.live_schema, "region": tenant.region}
        trail.record("tenant.created", by=by, kind="tenant", key=tenant.slug, after=made)
