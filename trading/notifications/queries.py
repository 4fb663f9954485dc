"""What may be asked of a person's log of events; run inside the tenant."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.db.models import OuterRef, Subquery

from trading.notifications.models import Notification, NotificationCursor

PAGE = 200  # events read at a time


@dataclass(frozen=True, slots=True)
class Place:
    """Where a reader of the log stands: number and id of the last event seen."""

    number: int
    id: UUID


# Before the first event; its id is one from which a client can go on, too.
BEGINNING = Place(0, UUID(int=0))


def end(user_id: UUID) -> Place:
    """The newest event."""
    newest = Notification.objects.filter(user_id=OuterRef("user_id"), number=OuterRef("last"))
    cursor = NotificationCursor.objects.filter(user_id=user_id)
    row = cursor.values_list("last", Subquery(newest.values("pk"))).first()
    return Place(row[0], row[1] or BEGINNING.id) if row else BEGINNING


def place_of(user_id: UUID, event_id: str) -> Place | None:
    """Where who saw this event last stands; None for an id that is not, or no more, in the log."""
    try:
        key = UUID(event_id)
    except ValueError:
        return None
    if key == BEGINNING.id:
        return BEGINNING
    own = Notification.objects.filter(user_id=user_id, pk=key)
    number = own.values_list("number", flat=True).first()
    return None if number is None else Place(number, key)


def resume(user_id: UUID, last_id: str) -> tuple[Place, bool]:
    """Where a reader begins, and whether nothing is missing there.

    After the event seen last; at the end without one, or where it is not known.
    """
    known = place_of(user_id, last_id) if last_id else None
    return known or end(user_id), known is not None or not last_id


def after(user_id: UUID, number: int) -> list[Notification] | None:
    """The next page of events; None where the log does not go on from that number.

    It does not when events have been trimmed, or taken back by a restore.
    """
    last = NotificationCursor.objects.filter(user_id=user_id).values_list("last", flat=True).first()
    if (last or 0) == number:
        return []
    own = Notification.objects.filter(user_id=user_id, number__gt=number)
    events = list(own.order_by("number")[:PAGE])
    return events if events and events[0].number == number + 1 else None
