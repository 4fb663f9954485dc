"""What the platform may ask about tenants."""

from __future__ import annotations

from uuid import UUID

from django.db.models import QuerySet

from tenants.models import Tenant


def active_ids() -> list[UUID]:
    """The tenants whose work goes on, oldest first."""
    active = Tenant.objects.filter(status=Tenant.Status.ACTIVE)
    return list(active.order_by("id").values_list("id", flat=True))


def returned_ids() -> list[UUID]:
    """Those of them that once stood still, or were put back: few, and perhaps behind."""
    back = Tenant.objects.filter(status=Tenant.Status.ACTIVE, returned_at__isnull=False)
    return list(back.order_by("id").values_list("id", flat=True))


def there() -> QuerySet[Tenant]:
    """All that have not been deleted: to everybody, who has been is nobody."""
    rows: QuerySet[Tenant] = Tenant.objects.exclude(status=Tenant.Status.DELETED)
    return rows


def ids() -> list[UUID]:
    """Every tenant that is there, whatever its status, oldest first."""
    return list(there().order_by("id").values_list("id", flat=True))


def by_slug(slug: str) -> Tenant | None:
    """The tenant of this name, unless it has been deleted."""
    return there().filter(slug=slug).select_related("plan").first()


def listing(*, is_whole: bool = False) -> QuerySet[Tenant]:
    """Tenants with their plans, by slug; the whole of it has those that were deleted too."""
    rows = Tenant.objects.all() if is_whole else there()
    return rows.select_related("plan").order_by("slug")
