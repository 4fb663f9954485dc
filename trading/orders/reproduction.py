"""Fills made again from an account's orders and the market, by the engine that made them. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from uuid import UUID

from trading.market.bars import Bar
from trading.market.places import Place
from trading.market.ticks import Tick
from trading.orders import cover, matching
from trading.orders.outcomes import Execution
from trading.orders.working import Terms, WorkingOrder
from trading.values import Side, exact

_NOTHING = Decimal(0)


@dataclass(frozen=True, slots=True)
class Placed:
    """An order as it was placed.

    `placed` has met what it knew of the tape; `reserved` is what a buy locked, in the quote
    currency, and `top_ups` what it locked more at the place of that key. `ended_after` is the place
    of the newest that it met, where somebody ended it; `is_bound` says that what was locked is all
    that it may cost, whatever the price.
    """

    placed: WorkingOrder
    reserved: Decimal = _NOTHING
    top_ups: Mapping[str, Decimal] = field(default_factory=dict)
    ended_after: Place | None = None
    is_bound: bool = False


@exact()
def reproduce(
    orders: Iterable[Placed], tape: Iterable[Bar | Tick], terms: Terms
) -> list[Execution]:
    """The executions of one account's orders in one instrument; the tape in its order."""
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

    def over(self, tape: Iterable[Bar | Tick]) -> Iterator[Execution]:
        for printed in tape:
            self._admit(printed.place)
            self._dismiss(printed.place)
            meeting = [self._funded(order, printed) for order in self._working.values()]
            done = matching.step(meeting, printed, self._terms)
            self._working = {order.id: order for order in done.orders}
            for fill in done.outcome.executions:
                self._spend(fill)
                yield fill
            self._completed |= done.outcome.completed

    def _admit(self, place: Place) -> None:
        """Orders that were there by then; a leg whose entry is complete has started."""
        for order in list(self._coming):
            if order.placed.knows(place.at, place.trade_id):
                continue
            self._coming.remove(order)
            placed = order.placed
            if placed.waits_for in self._completed:
                placed = replace(placed, waits_for=None)
            self._working[placed.id] = placed

    def _dismiss(self, place: Place) -> None:
        """Orders that somebody had ended by then."""
        for order_id in list(self._working):
            ended_after = self._placed[order_id].ended_after
            if ended_after is not None and place.is_after(ended_after):
                del self._working[order_id]

    def _funded(self, order: WorkingOrder, printed: Bar | Tick) -> WorkingOrder:
        """What a buy may spend at this bar or tick: as `execution` says it to the engine."""
        if order.side is Side.SELL:
            return order
        placed = self._placed[order.id]
        self._held[order.id] += placed.top_ups.get(printed.place.key, _NOTHING)
        held = self._held[order.id]
        terms = order.terms or self._terms
        needed = None if placed.is_bound else cover.needed(order, printed, terms)
        is_enough = needed is not None and needed <= held
        return replace(order, spendable=None if is_enough else held)

    def _spend(self, fill: Execution) -> None:
        if fill.side is Side.BUY:
            self._held[fill.order_id] -= fill.quantity * fill.price + fill.fee
