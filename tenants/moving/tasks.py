"""Celery doors of moving; the operator's worker opens them, for it has the owner's log-in.

A message comes back while its move takes longer than a message is held, or when its worker was
killed: what is done is left alone, and what is not is gone on with.
"""

from __future__ import annotations

import logging
from contextlib import suppress

from celery import shared_task
from django.utils import timezone

from tenants.models import TenantMove
from tenants.moving import actions, queries
from tenants.moving.errors import MoveGivenUp, MoveUnderWay
from tenants.tasks import PlatformTask

_FRESH = 60  # seconds: what nobody has fetched by then, the timer sends again
_UNKNOWN = "system:take_up"  # who asked for it before that was written down
_log = logging.getLogger("bulkhead.moving")


@shared_task(base=PlatformTask, name="tenants.moving.tasks.move")
def move(move_id: str, by: str) -> None:
    """Go on with a move, or take it back where it is given up, unless somebody is at it."""
    found = _unfinished(move_id)
    if found is not None:
        with suppress(MoveUnderWay, MoveGivenUp):
            actions.go_on(under_way=found, by=by, now=timezone.now(), report=_log.info)


@shared_task(base=PlatformTask, name="tenants.moving.tasks.take_up")
def take_up() -> None:
    """Send a task for each move that seems to stand still."""
    for found in queries.stalled(now=timezone.now()):
        move.apply_async((str(found.pk), found.by or _UNKNOWN), expires=_FRESH)


def _unfinished(move_id: str) -> TenantMove | None:
    rows = TenantMove.objects.select_related("tenant")
    return rows.filter(pk=move_id, finished_at=None).first()
