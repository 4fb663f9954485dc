"""What the platform may ask about tenants."""

from __future__ import annotations

from uuid import UUID

from django.db.models import QuerySet

from tenants.models import Tenant


def active_ids() -> list[UUID]:
    """The tenants whose work goes on, oldest first."""
    active = Tenant.objects.filter(status=Tenant.Status.ACTIVE)
    return list(active.order_by("id").values_list("id", flat=True))


def ids() -> list[UUID]:
    """Every tenant, whatever its status, oldest first."""
    return list(Tenant.objects.order_by("id").values_list("id", flat=True))


def by_slug(slug: str) -> Tenant | None:
    found: Tenant | None = Tenant.objects.filter(slug=slug).select_related("plan").first()
    return found


def listing() -> QuerySet[Tenant]:
    """All tenants with their plans, by slug."""
    rows: QuerySet[Tenant] = Tenant.objects.select_related("plan").order_by("slug")
    return rows
