"""The moments at which a history is told, and what was known at each. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

from trading.values import exact

RANGES = {
    "1d": timedelta(days=1),
    "1w": timedelta(days=7),
    "1m": timedelta(days=30),
    "3m": timedelta(days=90),
    "1y": timedelta(days=365),
    "all": None,
}
INTERVALS = {
    "1m": timedelta(minutes=1),
    "5m": timedelta(minutes=5),
    "15m": timedelta(minutes=15),
    "1h": timedelta(hours=1),
    "4h": timedelta(hours=4),
    "1d": timedelta(days=1),
    "1w": timedelta(days=7),
}
MOST = 1_000  # points
_FAIR = 400  # points, where nobody asked for an interval
_EPOCH = datetime(1970, 1, 5, tzinfo=UTC)  # a Monday: weeks begin there

Side = tuple[UUID, str]  # an account and a currency


@dataclass(frozen=True, slots=True)
class Seen:
    """One side of an account at a step; `value` is None if one of its positions had no price."""

    step: int
    side: Side
    cash: Decimal
    value: Decimal | None
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Point:
    """One currency at one moment; equity None where a price is missing."""

    at: datetime
    cash: Decimal
    positions_value: Decimal | None
    equity: Decimal | None
    missing_prices: tuple[str, ...]


def interval_for(span: timedelta) -> str:
    """The finest interval that does not give too many points."""
    fair = (name for name, length in INTERVALS.items() if span / length <= _FAIR)
    return next(fair, list(INTERVALS)[-1])


def count(start: datetime, end: datetime, interval: timedelta) -> int:
    """How many steps there are at most, without making them."""
    return (end - start) // interval + 3


def steps(start: datetime, end: datetime, interval: timedelta) -> list[datetime]:
    """From `start` to `end`, both included, and the whole intervals of the clock between."""
    first = _EPOCH + ((start - _EPOCH) // interval + 1) * interval
    between = max((end - first) / interval, 0)
    whole = [first + n * interval for n in range(int(between) + 1)]
    return [start, *(at for at in whole if start < at < end), *([end] if end > start else [])]


@exact()
def told(moments: list[datetime], seen: Iterable[Seen]) -> dict[str, list[Point]]:
    """Each currency's points: at every step the last that was seen of each account by then.

    Points begin with the first step by which anything was seen.
    """
    by_step: dict[int, list[Seen]] = {}
    for sight in seen:
        by_step.setdefault(sight.step, []).append(sight)
    last: dict[Side, Seen] = {}
    points: dict[str, list[Point]] = {}
    for step, at in enumerate(moments):
        last |= {sight.side: sight for sight in by_step.get(step, ())}
        for currency, sights in _by_currency(last):
            points.setdefault(currency, []).append(_point(at, sights))
    return dict(sorted(points.items()))


def _by_currency(last: Mapping[Side, Seen]) -> Iterator[tuple[str, list[Seen]]]:
    found: dict[str, list[Seen]] = {}
    for (_, currency), sight in last.items():
        found.setdefault(currency, []).append(sight)
    yield from found.items()


def _point(at: datetime, sights: list[Seen]) -> Point:
    missing = tuple(sorted({symbol for sight in sights for symbol in sight.missing}))
    cash = sum((sight.cash for sight in sights), Decimal(0))
    values = [sight.value for sight in sights if sight.value is not None]
    value = sum(values, Decimal(0)) if len(values) == len(sights) else None
    return Point(at, cash, value, None if value is None else cash + value, missing)
