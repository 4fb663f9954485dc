"""What may be done with a person's log of events: append, mark as read, trim."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import groupby
from uuid import UUID

from django.db import connection

from tenants.identifiers import new_id
from trading.errors import NotFound
from trading.notifications.models import Notification, NotificationCursor

_BATCH = 1_000  # rows a statement

# People in the order of their ids, so that two transactions never wait for each other.
_ADVANCE = """
INSERT INTO trading_notificationcursor AS c (id, user_id, last)
SELECT * FROM unnest(%s::uuid[], %s::uuid[], %s::bigint[])
ON CONFLICT (tenant_id, user_id) DO UPDATE SET last = c.last + excluded.last
RETURNING user_id, last
"""


def append(events: Sequence[Notification]) -> dict[UUID, list[Notification]]:
    """Give each event its person's next number, and store them; gives them by person.

    The cursors stay locked until the transaction ends, so this comes right before its commit:
    numbers follow the order of commits, and whoever sees a number sees all before it.
    """
    ordered = sorted(events, key=_person)
    people = {user_id: list(own) for user_id, own in groupby(ordered, key=_person)}
    ends = _advance({user_id: len(own) for user_id, own in people.items()})
    for user_id, own in people.items():
        for number, event in enumerate(own, start=ends[user_id] - len(own) + 1):
            event.number = number
    Notification.objects.bulk_create(ordered, batch_size=_BATCH)
    return people


def mark_read(*, notification_id: UUID, now: datetime) -> Notification:
    """Note when its person has seen an event; the first time counts. Raises NotFound."""
    found = Notification.objects.filter(pk=notification_id)
    found.unread().update(read_at=now)
    notification = found.first()
    if notification is None:
        raise NotFound("There is no such notification.")
    return notification


def mark_all_read(*, user_id: UUID, now: datetime) -> int:
    """Everything of a person that is unread by now; gives how many."""
    unread = Notification.objects.unread().filter(user_id=user_id)
    # Locked in the log's order, as `trim` does it.
    ids = list(unread.order_by("number").select_for_update().values_list("pk", flat=True))
    return Notification.objects.filter(pk__in=ids).update(read_at=now)


def trim(*, kept: int) -> int:
    """Delete what is older than each person's newest `kept` events; gives how many it was."""
    full = NotificationCursor.objects.filter(last__gt=kept).order_by("user_id")
    people = list(full.values_list("user_id", "last"))
    return sum(_trim_person(user_id, last - kept) for user_id, last in people)


def _trim_person(user_id: UUID, through: int) -> int:
    """From the oldest on, so that what is left has no gap."""
    old = Notification.objects.filter(user_id=user_id, number__lte=through).order_by("number")
    deleted = 0
    while ids := list(old.select_for_update().values_list("pk", flat=True)[:_BATCH]):
        deleted += Notification.objects.filter(pk__in=ids).delete()[0]
    return deleted


def _advance(counts: dict[UUID, int]) -> dict[UUID, int]:
    """Move each person's cursor on by so many; gives where each stands now."""
    ids = [new_id() for _ in counts]
    with connection.cursor() as cursor:
        cursor.execute(_ADVANCE, [ids, list(counts), list(counts.values())])
        return dict(cursor.fetchall())


def _person(event: Notification) -> UUID:
    return event.user_id
