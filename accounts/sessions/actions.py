"""What may be done to sessions that are there; what is over long ago goes for good."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet

from accounts.sessions.models import RefreshToken, Session
from accounts.trail import actions as trail

KEPT = timedelta(days=30)
_BATCH = 1_000  # rows


def note_second_factor(session_id: UUID) -> None:
    """The session has shown it."""
    Session.objects.filter(pk=session_id).update(has_second_factor=True)


def purge(*, by: str, now: datetime) -> int:
    """Delete sessions and refresh tokens that ended or ran out 30 days ago; gives how many rows.

    Called on the platform. Each batch stands by itself: a purge that was cut off is taken up by the
    next one, and two at once take different rows.
    """
    before = now - KEPT
    used_up = RefreshToken.objects.filter(expires_at__lt=before)
    over = Session.objects.filter(Q(ended_at__lt=before) | Q(expires_at__lt=before))
    return _delete(used_up, by=by) + _delete(over, by=by)


def _delete(rows: QuerySet[Any], *, by: str) -> int:
    total = 0
    while deleted := _delete_batch(rows, by=by):
        total += deleted
    return total


def _delete_batch(rows: QuerySet[Any], *, by: str) -> int:
    """By key, which is the order of creation: the oldest are found without reading the others."""
    with transaction.atomic():
        locked = rows.order_by("pk").select_for_update(skip_locked=True)
        chosen = list(locked.values_list("pk", flat=True)[:_BATCH])
        if not chosen:
            return 0
        deleted, _ = rows.model._default_manager.filter(pk__in=chosen).delete()
        kind = str(rows.model._meta.model_name)
        trail.record("sessions.purged", by=by, kind=kind, after={"rows": deleted})
    return int(deleted)
