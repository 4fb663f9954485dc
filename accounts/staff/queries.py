"""What the staff may ask about all tenants together: numbers, never rows of theirs."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Count

from tenants.models import Tenant


@dataclass(frozen=True, slots=True)
class Standing:
    """How many tenants have this status."""

    status: str
    tenants: int


def standings() -> list[Standing]:
    """For each status, also one that nobody has."""
    rows = Tenant.objects.values_list("status").annotate(number=Count("pk")).order_by()
    found = dict(rows)
    return [Standing(status, found.get(status, 0)) for status in Tenant.Status.values]
