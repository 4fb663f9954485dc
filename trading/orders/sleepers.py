"""Orders by the levels at which they wait: those that a bar reaches stand at one end."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from operator import itemgetter
from typing import Generic, TypeVar
from uuid import UUID

from trading.market.bars import Bar
from trading.market.ticks import Tick
from trading.orders.levels import Levels

Level = TypeVar("Level", Decimal, datetime)

_level = itemgetter(0)


class Sleepers:
    """Orders that no bar changes before it reaches one of their levels."""

    def __init__(self) -> None:
        self._levels: dict[UUID, Levels] = {}
        self._below, self._above = _Ladder[Decimal](), _Ladder[Decimal]()
        self._until = _Ladder[datetime]()

    def __contains__(self, order_id: UUID) -> bool:
        return order_id in self._levels

    def put(self, order_id: UUID, found: Levels) -> None:
        """Let an order sleep until a bar reaches one of the levels."""
        if order_id in self._levels:
            if self._levels[order_id] == found:
                return
            self.discard(order_id)
        self._levels[order_id] = found
        if found.below is not None:
            self._below.put(found.below, order_id)
        if found.above is not None:
            self._above.put(found.above, order_id)
        if found.until is not None:
            self._until.put(found.until, order_id)

    def discard(self, order_id: UUID) -> None:
        found = self._levels.pop(order_id, None)
        if found is None:
            return
        if found.below is not None:
            self._below.take(found.below, order_id)
        if found.above is not None:
            self._above.take(found.above, order_id)
        if found.until is not None:
            self._until.take(found.until, order_id)

    def reached_by(self, market: Bar | Tick) -> set[UUID]:
        found = {*self._below.at_or_over(market.low), *self._above.at_or_under(market.high)}
        if self._until:
            found.update(self._until.at_or_under(market.end))
        return found


class _Ladder(Generic[Level]):
    """Prices or moments in order, with the order that waits at each."""

    def __init__(self) -> None:
        # In between is the id's number: two numbers are compared much faster than two ids.
        self._rungs: list[tuple[Level, int, UUID]] = []

    def __bool__(self) -> bool:
        return bool(self._rungs)

    def put(self, level: Level, order_id: UUID) -> None:
        insort(self._rungs, (level, order_id.int, order_id))

    def take(self, level: Level, order_id: UUID) -> None:
        """Remove an order from the level that it was put at."""
        del self._rungs[bisect_left(self._rungs, (level, order_id.int, order_id))]

    def at_or_over(self, level: Level) -> Sequence[UUID]:
        rungs = self._rungs
        if not rungs or rungs[-1][0] < level:
            return ()
        return [order_id for *_, order_id in rungs[bisect_left(rungs, level, key=_level) :]]

    def at_or_under(self, level: Level) -> Sequence[UUID]:
        rungs = self._rungs
        if not rungs or rungs[0][0] > level:
            return ()
        return [order_id for *_, order_id in rungs[: bisect_right(rungs, level, key=_level)]]
