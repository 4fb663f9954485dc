"""What may be asked about moves."""

from __future__ import annotations

from datetime import datetime

from tenants.lifecycle import attempts
from tenants.models import TenantMove


def stalled(*, now: datetime) -> list[TenantMove]:
    """Those that seem to stand still, the oldest first: their message was lost, or whoever carried
    them was killed.

    What broke off for a reason waits for somebody. Whether anybody is at one after all, only who
    tries to be finds out.
    """
    under_way = TenantMove.objects.filter(finished_at=None, error="").order_by("begun_at", "id")
    return [move for move in under_way if _is_due(move, now)]


def _is_due(move: TenantMove, now: datetime) -> bool:
    return now >= (move.tried_at or move.begun_at) + attempts.pause(move.attempts)
