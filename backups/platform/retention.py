"""Which copies of the server, and which WAL, stay: what leads to any instant of some days. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from backups.platform import base
from backups.platform.base import Base


def oldest(bases: Iterable[Base], *, days: int, now: datetime) -> Base | None:
    """From which the oldest instant of so many days is reached: the newest from before them that
    can be laid out; None where there is none."""
    limit = now - timedelta(days=days)
    older = [each for each in base.whole(bases) if each.ended_at <= limit]
    return max(older, key=base.by_end, default=None)


def kept(bases: Iterable[Base], *, days: int, now: datetime) -> set[UUID]:
    """The oldest, all that came after it, and what any of these stand on; all where there is no
    oldest, or something that they stand on is not known: it may stand on any."""
    known = {each.id: each for each in bases}
    first = oldest(known.values(), days=days, now=now)
    if first is None:
        return set(known)
    stay: set[UUID] = set()
    for each in known.values():
        link = each if base.by_end(each) >= base.by_end(first) else None
        while link and link.id not in stay:
            stay.add(link.id)
            if link.parent and link.parent not in known:
                return set(known)
            link = known[link.parent] if link.parent else None
    return stay


def first_segment(bases: Iterable[Base]) -> int | None:
    """The number of the first segment that any of these needs; None where there are none.

    What comes before it is nobody's: a copy is of no use without all of its WAL, and WAL of none
    without a copy before it.
    """
    return min((each.first_segment for each in bases), default=None)
