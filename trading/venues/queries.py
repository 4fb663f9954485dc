"""What a timer asks of one tenant: what is due."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Count, Min

from trading.brokers.models import Account
from trading.orders.models import VenueIntent


@dataclass(frozen=True, slots=True)
class Waiting:
    """How many intents are due, and since when the oldest is."""

    count: int
    oldest_at: datetime | None


def waiting(*, now: datetime) -> Waiting:
    """Of the entered tenant."""
    due = VenueIntent.objects.due(now).aggregate(count=Count("id"), oldest_at=Min("due_at"))
    return Waiting(due["count"], due["oldest_at"])


def due_intents(*, now: datetime) -> list[UUID]:
    """Of the entered tenant: what was not carried out, or whose worker died, the oldest first."""
    rows = VenueIntent.objects.due(now).order_by("created_at", "id")
    return list(rows.values_list("id", flat=True))


def accounts_with_keys() -> list[UUID]:
    """Of the entered tenant: the accounts that can be compared with their exchanges."""
    rows = Account.objects.filter(kind=Account.Kind.EXCHANGE, credentials__isnull=False)
    left = rows.exclude(status=Account.Status.CLOSED)
    return list(left.order_by("id").values_list("id", flat=True))
