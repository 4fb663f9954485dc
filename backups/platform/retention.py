"""Which copies of the server, and which WAL, stay: what leads to any instant of some days. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from backups.platform.base import Base, by_end


def kept(bases: Iterable[Base], *, days: int, now: datetime) -> set[UUID]:
    """The newest that is older than so many days, since the oldest instant is reached from there;
    all that came after it; and what any of these stand on. The newest of all is always there."""
    oldest_first = sorted(bases, key=by_end)
    limit = now - timedelta(days=days)
    older = [base.id for base in oldest_first if base.ended_at <= limit]
    stay = {*older[-1:], *(base.id for base in oldest_first if base.ended_at > limit)}
    for base in reversed(oldest_first):  # who stands on another came after it
        if base.id in stay and base.parent is not None:
            stay.add(base.parent)
    return stay


def first_segment(bases: Iterable[Base]) -> int | None:
    """The number of the first segment that any of these needs; None where there are none.

    What comes before it is nobody's: a copy is of no use without all of its WAL, and WAL of none
    without a copy before it.
    """
    return min((base.first_segment for base in bases), default=None)
