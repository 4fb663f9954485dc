"""Which moments of an account's history are needless by their age. Pure.

Of each hour, and later of each day, the last moment stays: a history told by hours or days is the
same with the others gone. A moment on the hour is the last of the hour that it ends.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

# So long every minute is kept, then the last of each hour, beyond `HOURS` of each day.
FINE = timedelta(days=7)
HOURS = timedelta(days=90)
_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def needless(moments: Sequence[datetime], *, now: datetime) -> list[datetime]:
    """Of moments in their order, those that may go. The first stays: with it a history begins."""
    ends = [_end(moment, now) for moment in moments]
    following = zip(moments[1:], ends[1:], ends[2:], strict=False)
    return [moment for moment, end, after in following if end is not None and end == after]


def _end(moment: datetime, now: datetime) -> datetime | None:
    """The end of the step that it belongs to; None where every moment is kept."""
    for age, step in ((HOURS, _DAY), (FINE, _HOUR)):
        end = moment + (_EPOCH - moment) % step
        if end <= now - age:
            return end
    return None
