"""A tenant that comes to be with rows in it: with all of them, or not at all.

Its schema, its rows and the row that reserves its slug are one commit of the owner's, so that a
kill leaves nothing. It is `provisioning` then, and says of what it is made: nobody else finishes
it, and whoever does the same again goes on with it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from django.db import IntegrityError, transaction

from tenants.backend.routers import OWNER_ALIAS
from tenants.cursors import Cursor
from tenants.lifecycle import making, reserving
from tenants.lifecycle.errors import SlugTaken
from tenants.lifecycle.provisioning import owner_cursor
from tenants.models import Tenant


@contextmanager
def filled(
    *, slug: str, source: str, name: str, tier: str, region: str, now: datetime
) -> Iterator[tuple[Tenant, Cursor]]:
    """Gives the tenant, and the cursor to fill it with; `source` says what it is made of.

    Raises SlugTaken, UnknownPlan, UnknownRegion, OwnerLoginMissing, or Django's ValidationError.
    """
    reason = _reason(source)
    left = Tenant.objects.filter(slug=slug, status=Tenant.Status.PROVISIONING, status_reason=reason)
    tenant: Tenant | None = left.first()
    is_new = tenant is None
    if tenant is None:
        plan = reserving.plan(tier)
        tenant = reserving.tenant(slug=slug, name=name, plan=plan, region=region, now=now)
        tenant.status_reason = reason
    with owner_cursor() as cursor:
        making.schema_of(tenant, now=now)
        yield tenant, cursor
        if is_new:
            _reserve(tenant)


@transaction.atomic
def open_filled(tenant: Tenant, *, by: str) -> None:
    """From now on it can be entered."""
    Tenant.objects.filter(pk=tenant.pk, status=Tenant.Status.PROVISIONING).update(status_reason="")
    making.open_tenant(tenant, by=by)
    tenant.status_reason = ""


def _reserve(tenant: Tenant) -> None:
    """Last of all: who wants the same slug waits for the commit alone. Raises SlugTaken."""
    try:
        tenant.save(using=OWNER_ALIAS, force_insert=True)
    except IntegrityError as fault:
        raise SlugTaken(f"The slug {tenant.slug!r} is in use.") from fault


def _reason(source: str) -> str:
    return f"made of {source}, and not finished: the same restore_tenant goes on"
