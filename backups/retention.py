"""Which backups stay: the newest of so many days, weeks and months that have any. Pure."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

FRESH = timedelta(hours=24)  # within which nothing goes: what was asked for is there
LAST = timedelta(days=90)  # for which the last backup of a deleted tenant stays


@dataclass(frozen=True, slots=True)
class Taken:
    """A backup as retention sees it; `is_last` is one that was taken before its tenant went, and
    `made_at` is given where that was later than the moment that it is of."""

    id: UUID
    at: datetime
    is_last: bool = False
    made_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """How many days, weeks (ISO) and months keep their newest."""

    daily: int
    weekly: int = 0
    monthly: int = 0


def kept(taken: Iterable[Taken], rule: Rule, *, now: datetime, zone: ZoneInfo) -> set[UUID]:
    """Those that stay; the newest of all is always among them.

    Days, weeks and months without any are not counted: who had none for a month loses none.
    """
    newest_first = sorted(taken, key=lambda each: (each.at, each.id), reverse=True)
    stay = {each.id for each in newest_first[:1]}
    stay |= {each.id for each in newest_first if _is_protected(each, now)}
    for count, slot in ((rule.daily, _day), (rule.weekly, _week), (rule.monthly, _month)):
        stay |= _newest_of(newest_first, count, slot, zone)
    return stay


def kept_after_the_end(taken: Iterable[Taken], *, now: datetime) -> set[UUID]:
    """Of a tenant that is gone: the last backup, for its time."""
    return {each.id for each in taken if _is_protected(each, now)}


def _is_protected(taken: Taken, now: datetime) -> bool:
    return now - (taken.made_at or taken.at) < (LAST if taken.is_last else FRESH)


def _newest_of(
    newest_first: list[Taken], count: int, slot: Callable[[datetime], Hashable], zone: ZoneInfo
) -> set[UUID]:
    found: dict[Hashable, UUID] = {}
    for each in newest_first:
        found.setdefault(slot(each.at.astimezone(zone)), each.id)
    return set(list(found.values())[:count])


def _day(at: datetime) -> Hashable:
    return at.date()


def _week(at: datetime) -> Hashable:
    return at.isocalendar()[:2]


def _month(at: datetime) -> Hashable:
    return at.year, at.month
