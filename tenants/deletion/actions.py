"""A tenant is deleted for good: what it has goes, its name stays taken."""

from __future__ import annotations

from datetime import datetime
from functools import partial

from django.db import transaction

from tenants import afterwards, trail
from tenants.lifecycle import tasks, workflow
from tenants.lifecycle.errors import NotDeletable
from tenants.models import Tenant, TenantMove, TenantWorkflow

Kind, Status = TenantWorkflow.Kind, Tenant.Status


def start(*, tenant: Tenant, by: str, now: datetime) -> TenantWorkflow:
    """What `ask` does, and the operator's worker carries it out after the commit."""
    with transaction.atomic():
        asked = ask(tenant=tenant, by=by, now=now)
        workflow.try_again(asked)
        send = partial(tasks.carry_on.delay, str(asked.pk))
        afterwards.do(send)
    return asked


@transaction.atomic
def ask(*, tenant: Tenant, by: str, now: datetime) -> TenantWorkflow:
    """Let nobody into the tenant from now on, and store what is left to do; or what still is.

    `by` is an actor's name. Making it, if that is not done, is given up. Raises NotDeletable while
    it is moved, and once it is deleted.
    """
    locked = Tenant.objects.select_for_update().get(pk=tenant.pk)
    under_way = TenantWorkflow.objects.filter(tenant=locked, kind=Kind.DELETE).first()
    if under_way is not None:
        return under_way
    if locked.status == Status.DELETED:
        raise NotDeletable(f"{locked.slug} has been deleted.")
    if TenantMove.objects.filter(tenant=locked, finished_at=None).exists():
        raise NotDeletable("It is being moved: finish that first, or give it up.")
    Tenant.objects.filter(pk=locked.pk).update(status=Status.DELETING, status_reason="")
    TenantWorkflow.objects.filter(tenant=locked).delete()
    trail.record("tenant.deletion_begun", by=by, kind="tenant", key=locked.slug)
    return workflow.begin(tenant=locked, kind=Kind.DELETE, by=by, now=now)
