"""Fills made again from an account's orders and the market, by the engine that made them. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from trading.market.bars import Bar
from trading.orders import cover, matching
from trading.orders.outcomes import Execution
from trading.orders.working import Terms, WorkingOrder
from trading.values import Side, exact

_NOTHING = Decimal(0)


@dataclass(frozen=True, slots=True)
class Placed:
    """An order as it was placed.

    `placed` names the newest bar that it knew in `matched_through`; `reserved` is what a buy
    locked, in the quote currency, and `top_ups` what it locked more at the bar of that start.
    `ended_after` is the newest bar that it met, where somebody ended it; `is_bound` says that
    what was locked is all that it may cost, whatever the price.
    """

    placed: WorkingOrder
    reserved: Decimal = _NOTHING
    top_ups: Mapping[datetime, Decimal] = field(default_factory=dict)
    ended_after: datetime | None = None
    is_bound: bool = False


@exact()
def reproduce(orders: Iterable[Placed], tape: Iterable[Bar], terms: Terms) -> list[Execution]:
    """The executions of one account's orders in one instrument; bars in the order of time."""
    return list(_Replay(list(orders), terms).over(tape))


class _Replay:
    """The orders of an account, each from its placing to its end."""

    def __init__(self, orders: list[Placed], terms: Terms) -> None:
        self._coming = sorted(orders, key=lambda order: order.placed.sequence)
        self._placed = {order.placed.id: order for order in orders}
        self._held = {order.placed.id: order.reserved for order in orders}
        self._working: dict[UUID, WorkingOrder] = {}
        self._completed: set[UUID] = set()
        self._terms = terms

    def over(self, tape: Iterable[Bar]) -> Iterator[Execution]:
        for bar in tape:
            self._admit(bar)
            self._dismiss(bar)
            meeting = [self._funded(order, bar) for order in self._working.values()]
            done = matching.step(meeting, bar, self._terms)
            self._working = {order.id: order for order in done.orders}
            for fill in done.outcome.executions:
                self._spend(fill)
                yield fill
            self._completed |= done.outcome.completed

    def _admit(self, bar: Bar) -> None:
        """Orders that were there when the bar came; a leg whose entry is complete has started."""
        for order in list(self._coming):
            known = order.placed.matched_through
            if known is not None and known >= bar.start:
                continue
            self._coming.remove(order)
            placed = order.placed
            if placed.waits_for in self._completed:
                placed = replace(placed, waits_for=None)
            self._working[placed.id] = placed

    def _dismiss(self, bar: Bar) -> None:
        """Orders that somebody had ended before the bar came."""
        for order_id in list(self._working):
            ended_after = self._placed[order_id].ended_after
            if ended_after is not None and ended_after < bar.start:
                del self._working[order_id]

    def _funded(self, order: WorkingOrder, bar: Bar) -> WorkingOrder:
        """What a buy may spend at this bar: as `execution` says it to the engine."""
        if order.side is Side.SELL:
            return order
        placed = self._placed[order.id]
        self._held[order.id] += placed.top_ups.get(bar.start, _NOTHING)
        held = self._held[order.id]
        needed = None if placed.is_bound else cover.needed(order, bar, order.terms or self._terms)
        is_enough = needed is not None and needed <= held
        return replace(order, spendable=None if is_enough else held)

    def _spend(self, fill: Execution) -> None:
        if fill.side is Side.BUY:
            self._held[fill.order_id] -= fill.quantity * fill.price + fill.fee
