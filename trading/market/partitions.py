"""Tables cut by time: the names, bounds and DDL of their partitions. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

FIRST_YEAR, LAST_YEAR = 1990, 2035


@dataclass(frozen=True, slots=True)
class Partition:
    """Holds the rows of `table` with `start <= row's moment < end`."""

    table: str
    name: str
    start: datetime
    end: datetime

    def bounds(self) -> str:
        return f"FOR VALUES FROM ('{self.start.isoformat()}') TO ('{self.end.isoformat()}')"


@dataclass(frozen=True, slots=True)
class Partitioned:
    """A table cut by `column`, in steps of so many months that divide a year.

    What lies in no partition goes to the DEFAULT one. Where `keeps_default`, rows may stay there
    (history older than anybody foresaw); else it is emptied whenever partitions are made.
    """

    table: str
    column: str
    months: int
    keeps_default: bool

    @property
    def default(self) -> str:
        return f"{self.table}_default"

    def around(self, moment: datetime) -> Partition:
        """The partition for a moment."""
        return self._at(moment.year * 12 + moment.month - 1)

    def ahead(self, now: datetime, months: int) -> Iterator[Partition]:
        """The partition of now, and those of so many months to come."""
        first = now.year * 12 + now.month - 1
        starts = {month - month % self.months for month in range(first, first + months + 1)}
        yield from (self._at(start) for start in sorted(starts))

    def _at(self, month: int) -> Partition:
        """The partition of a month, counted from year 0."""
        start = month - month % self.months
        named = f"{start // 12:04}" if self.months == 12 else _label(start)
        name = f"{self.table}_{named}"
        return Partition(self.table, name, _moment(start), _moment(start + self.months))


CANDLES = Partitioned("market_candle", "start", 12, keeps_default=True)
TICKS = Partitioned("market_tick", "at", 1, keeps_default=False)
TABLES = (CANDLES, TICKS)


def default(table: Partitioned) -> list[str]:
    """DDL of the partition for what lies in no other: no row is turned away."""
    return [f"CREATE TABLE {table.default} PARTITION OF {table.table} DEFAULT"]


def candle_years() -> list[str]:
    """DDL of the yearly partitions that candles start with."""
    years = [
        CANDLES.around(datetime(y, 1, 1, tzinfo=UTC)) for y in range(FIRST_YEAR, LAST_YEAR + 1)
    ]
    return [f"CREATE TABLE {p.name} PARTITION OF {p.table} {p.bounds()}" for p in years]


def _label(month: int) -> str:
    return f"{month // 12:04}_{month % 12 + 1:02}"


def _moment(month: int) -> datetime:
    return datetime(month // 12, month % 12 + 1, 1, tzinfo=UTC)
