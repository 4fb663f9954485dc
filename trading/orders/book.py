"""One account's open orders while they meet one path: each is served in its turn."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal
from uuid import UUID

from trading.orders import brackets, sizing, time_in_force
from trading.orders.explained import Circumstances, explained
from trading.orders.meetings import UNTOUCHED, Encounter
from trading.orders.outcomes import (
    Deadline,
    EndReason,
    Execution,
    Expiration,
    Outcome,
    Shrink,
    Trigger,
    WaterMark,
)
from trading.orders.path import Path
from trading.orders.rules import meet
from trading.orders.time_in_force import Session
from trading.orders.working import Terms, WorkingOrder
from trading.records import record
from trading.values import OrderType, TimeInForce


class MixedOrders(ValueError):
    """The orders are not all of one account in the market's instrument."""

    code = "mixed_orders"


@record(frozen=True, slots=True)
class Conditions:
    """What the orders meet, and on what terms; `taken` of its volume was filled before."""

    path: Path
    terms: Terms
    session: Session
    taken: Decimal


class Book:
    """The orders as they stand, and what has happened to them so far."""

    def __init__(self, orders: Iterable[WorkingOrder], conditions: Conditions) -> None:
        self._places = brackets.places(orders)
        self._before = [order for place in self._places for order in place]
        self._open = {order.id: order for order in self._before}
        self._reducing = [order.id for order in self._before if order.reducible is not None]
        self._has_legs = any(order.waits_for is not None for order in self._before)
        self._conditions, self._path = conditions, conditions.path
        self._taken = conditions.taken
        self.kept: set[UUID] = set()
        self._triggers: list[Trigger] = []
        self._executions: list[Execution] = []
        self._shrinks: list[Shrink] = []
        self._expirations: list[Expiration] = []

    def serve(self) -> Outcome:
        """Let the path meet every order once; gives what that did."""
        for place in self._places:
            self._serve_together(place)
        kept = self._standing()
        outcome = Outcome(
            tuple(self._triggers),
            tuple(self._executions),
            tuple(self._shrinks),
            tuple(self._expirations),
            _marks(kept),
            _deadlines(kept),
        )
        return self._with_legs(outcome) if self._has_legs else outcome

    def left_open(self) -> tuple[WorkingOrder, ...]:
        """The orders that see the next path, as they stand after this one, in the order of time."""
        return tuple(sorted(self._open.values(), key=brackets.arrival))

    def find(self, order_id: UUID) -> WorkingOrder | None:
        """An order as it stands; None if it is not open any more."""
        return self._open.get(order_id)

    def _serve_together(self, siblings: list[WorkingOrder]) -> None:
        met = [
            (order, meet(order, self._path, self._terms(order))) for order in self._met(siblings)
        ]
        if len(met) > 1:
            met.sort(key=lambda pair: brackets.turn(pair[0], pair[1], self._path))
        stop_has_met = False
        for order, encounter in met:
            is_passed_over = stop_has_met and brackets.takes_profit(order)
            is_met = self._serve(order.id, UNTOUCHED if is_passed_over else encounter, siblings)
            stop_has_met = stop_has_met or (is_met and not brackets.takes_profit(order))

    def _met(self, siblings: list[WorkingOrder]) -> list[WorkingOrder]:
        """Those that the path meets: they have started, don't know it yet, and have the time."""
        met = []
        for order in siblings:
            if order.waits_for is not None or order.knows(self._path.start, self._path.trade_id):
                continue
            late = time_in_force.lateness(order, self._path.start, self._conditions.session)
            if late is None:
                met.append(order)
            else:
                self._end(order.id, late)
        return met

    def _serve(
        self, order_id: UUID, encounter: Encounter, siblings: Iterable[WorkingOrder]
    ) -> bool:
        """Fill, keep or end one order; gives whether the path could fill it."""
        order = self._open.get(order_id)
        if order is None:  # a sibling took the last of it
            return False
        if sizing.has_nothing_to_reduce(order, self._terms(order)):
            self._end(order_id, EndReason.NOTHING_TO_REDUCE)
            return False
        if encounter.firing is not None:
            self._triggers.append(Trigger(order_id, encounter.firing.at))
        reason = self._try_to_fill(order, encounter, siblings) or time_in_force.ending(
            order, encounter, self._path, self._conditions.session
        )
        if order_id not in self._open:  # complete
            return True
        if reason is None:
            self._keep(order_id, encounter)
        else:
            self._end(order_id, reason)
        return encounter.meeting is not None

    def _try_to_fill(
        self, order: WorkingOrder, encounter: Encounter, siblings: Iterable[WorkingOrder]
    ) -> EndReason | None:
        if encounter.meeting is None:
            return None
        terms = self._terms(order)
        capacity = sizing.capacity(self._path.volume, terms, self._taken)
        quantity, reason = sizing.filled(order, encounter.meeting, terms, capacity)
        if quantity:
            found = Circumstances(
                order, self._path, terms, encounter.meeting, encounter.firing, capacity
            )
            self._book(order, explained(found, quantity), siblings)
        return reason

    def _terms(self, order: WorkingOrder) -> Terms:
        return order.terms or self._conditions.terms

    def _book(self, order: WorkingOrder, fill: Execution, siblings: Iterable[WorkingOrder]) -> None:
        self._executions.append(fill)
        self._taken += fill.quantity
        if fill.is_complete:
            del self._open[order.id]
        else:
            self._put(order.changed(remaining=order.remaining - fill.quantity))
        if order.group is not None:
            self._shrink(order, fill.quantity, siblings)
        sharing = dict.fromkeys([*(sibling.id for sibling in siblings), *self._reducing])
        for other_id in sharing.keys() & self._open.keys():
            self._put(sizing.with_means_left(self._open[other_id], order, fill))

    def _shrink(self, order: WorkingOrder, by: Decimal, siblings: Iterable[WorkingOrder]) -> None:
        """The siblings have less to fill, or end; they draw on one quantity."""
        standing = [self._open[other.id] for other in siblings if other.id in self._open]
        shrinks, ends = brackets.shrunk(standing, order, by)
        for shrink in shrinks:
            sibling = self._open[shrink.order_id]
            self._put(sibling.changed(remaining=sibling.remaining - shrink.by))
        self._shrinks += shrinks
        for end in ends:
            self._end(end.order_id, end.reason)

    def _keep(self, order_id: UUID, encounter: Encounter) -> None:
        """The order has met this path, and goes on to the next."""
        order = self._open[order_id]
        expires_at = order.expires_at
        if expires_at is None and order.time_in_force is TimeInForce.DAY:
            expires_at = self._conditions.session.closing
        kept = order.changed(
            is_resting=True,
            is_triggered=order.is_triggered or encounter.firing is not None,
            water_mark=encounter.water_mark or order.water_mark,
            expires_at=expires_at,
            matched_through=self._path.start,
            matched_trade=self._path.trade_id,
        )
        self._put(kept)
        self.kept.add(order_id)

    def _end(self, order_id: UUID, reason: EndReason) -> None:
        del self._open[order_id]
        self._expirations.append(Expiration.of(order_id, reason))

    def _put(self, order: WorkingOrder) -> None:
        self._open[order.id] = order

    def _standing(self) -> list[_Change]:
        """The orders that the path has met and left open, before and after, in their places."""
        if not self.kept:
            return []
        return [
            (old, self._open[old.id])
            for old in self._before
            if old.id in self.kept and old.id in self._open
        ]

    def _with_legs(self, outcome: Outcome) -> Outcome:
        """Start and end the legs that wait for entries of this book."""
        legs = [order for order in self.left_open() if order.waits_for is not None]
        end, price = self._path.end, self._path.close
        started = brackets.activated(legs, outcome.completed, at=end, price=price)
        for start in started:
            self._put(_started(self._open[start.order_id], self._path))
        for leg in brackets.ended(legs, outcome.ended):
            self._end(leg.order_id, leg.reason)
        return replace(outcome, activations=started, expirations=tuple(self._expirations))


def _started(leg: WorkingOrder, path: Path) -> WorkingOrder:
    trails = leg.type is OrderType.TRAILING_STOP
    return leg.changed(
        waits_for=None,
        water_mark=path.close if trails else None,
        matched_through=path.start,
        matched_trade=path.trade_id,
    )


_Change = tuple[WorkingOrder, WorkingOrder]


def _marks(kept: list[_Change]) -> tuple[WaterMark, ...]:
    return tuple(
        WaterMark(new.id, new.water_mark)
        for old, new in kept
        if new.water_mark is not None and new.water_mark != old.water_mark
    )


def _deadlines(kept: list[_Change]) -> tuple[Deadline, ...]:
    return tuple(
        Deadline(new.id, new.expires_at)
        for old, new in kept
        if new.expires_at is not None and old.expires_at is None
    )
