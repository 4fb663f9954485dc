"""Orders by the levels at which they wait: those that a bar reaches stand at one end."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from datetime import datetime
from decimal import Decimal
from operator import itemgetter
from typing import Generic, TypeVar

from trading.market.bars import Bar
from trading.market.ticks import Tick
from trading.orders.levels import Levels
from trading.orders.seats import Seat

Level = TypeVar("Level", Decimal, datetime)

_level = itemgetter(0)


class Sleepers:
    """Orders that no bar changes before it reaches one of their levels."""

    def __init__(self) -> None:
        self._below, self._above = _Ladder[Decimal](), _Ladder[Decimal]()
        self._until = _Ladder[datetime]()

    def put(self, seat: Seat, found: Levels) -> None:
        """Let an order sleep until a bar reaches one of the levels."""
        if seat.asleep_at is not None:
            if seat.asleep_at == found:
                return
            self.wake(seat)
        seat.asleep_at = found
        if found.below is not None:
            self._below.put(found.below, seat)
        if found.above is not None:
            self._above.put(found.above, seat)
        if found.until is not None:
            self._until.put(found.until, seat)

    def wake(self, seat: Seat) -> None:
        found = seat.asleep_at
        if found is None:
            return
        seat.asleep_at = None
        if found.below is not None:
            self._below.take(found.below, seat)
        if found.above is not None:
            self._above.take(found.above, seat)
        if found.until is not None:
            self._until.take(found.until, seat)

    def reached_by(self, market: Bar | Tick) -> list[Seat]:
        """Some perhaps twice."""
        found = self._below.at_or_over(market.low) + self._above.at_or_under(market.high)
        return found + self._until.at_or_under(market.end) if self._until else found


class _Ladder(Generic[Level]):
    """Prices or moments in order, with the order that waits at each."""

    def __init__(self) -> None:
        # In between is the number of the order's id, so that no two seats are compared.
        self._rungs: list[tuple[Level, int, Seat]] = []

    def __bool__(self) -> bool:
        return bool(self._rungs)

    def put(self, level: Level, seat: Seat) -> None:
        insort(self._rungs, (level, seat.order.id.int, seat))

    def take(self, level: Level, seat: Seat) -> None:
        """Remove an order from the level that it was put at."""
        del self._rungs[bisect_left(self._rungs, (level, seat.order.id.int, seat))]

    def at_or_over(self, level: Level) -> list[Seat]:
        rungs = self._rungs
        if not rungs or rungs[-1][0] < level:
            return []
        return [seat for *_, seat in rungs[bisect_left(rungs, level, key=_level) :]]

    def at_or_under(self, level: Level) -> list[Seat]:
        rungs = self._rungs
        if not rungs or rungs[0][0] > level:
            return []
        return [seat for *_, seat in rungs[: bisect_right(rungs, level, key=_level)]]
