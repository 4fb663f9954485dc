"""One account's open orders while they meet one path: each is served in its turn."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from decimal import Decimal

from trading.orders import brackets, sizing, time_in_force
from trading.orders import seats as seating
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
from trading.orders.seats import Seat, Table
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
    """The orders in their seats, those of a group at one table, and what has happened so far."""

    def __init__(self, seats: Collection[Seat], conditions: Conditions) -> None:
        self._tables = seating.tables(seats)
        self.seats = [seat for table in self._tables for seat in table]
        for seat in self.seats:
            seat.before, seat.is_kept = seat.order, False
        self._reducing = [seat for seat in self.seats if seat.before.reducible is not None]
        self._path, self._terms = conditions.path, conditions.terms
        self._session, self._taken = conditions.session, conditions.taken
        self._triggers: list[Trigger] = []
        self._executions: list[Execution] = []
        self._shrinks: list[Shrink] = []
        self._expirations: list[Expiration] = []

    def serve(self) -> Outcome:
        """Let the path meet every order once; gives what that did."""
        for table in self._tables:
            self._serve_together(table)
        kept = [(seat.before, seat.order) for seat in self.seats if seat.is_kept and seat.is_open]
        outcome = Outcome(
            tuple(self._triggers),
            tuple(self._executions),
            tuple(self._shrinks),
            tuple(self._expirations),
            tuple(_marks(kept)),
            tuple(_deadlines(kept)),
        )
        legs = [seat for seat in self.seats if seat.is_open and seat.before.waits_for is not None]
        return self._with_legs(outcome, legs) if legs else outcome

    def left_open(self) -> tuple[WorkingOrder, ...]:
        """The orders that see the next path, as they stand after this one, in the order of time."""
        return tuple(sorted(seating.standing(self.seats), key=brackets.arrival))

    def _serve_together(self, table: Table) -> None:
        met = [seat for seat in table if self._is_met(seat)]
        if len(met) == 1:
            self._serve(met[0], self._encounter(met[0]), table)
        elif met:
            self._serve_in_turn(met, table)

    def _serve_in_turn(self, met: Table, table: Table) -> None:
        """Siblings: a stop that the path could fill keeps the limits after it out."""
        pairs = [(seat, self._encounter(seat)) for seat in met]
        pairs.sort(key=lambda pair: brackets.turn(pair[0].before, pair[1], self._path))
        stop_has_met = False
        for seat, encounter in pairs:
            takes_profit = brackets.takes_profit(seat.before)
            found = UNTOUCHED if stop_has_met and takes_profit else encounter
            is_met = self._serve(seat, found, table)
            stop_has_met = stop_has_met or (is_met and not takes_profit)

    def _encounter(self, seat: Seat) -> Encounter:
        return meet(seat.before, self._path, seat.before.terms or self._terms)

    def _is_met(self, seat: Seat) -> bool:
        """Whether the path meets it: it has started, doesn't know the path, and has the time."""
        order, start = seat.before, self._path.start
        if order.waits_for is not None or order.knows(start, self._path.trade_id):
            return False
        late = time_in_force.lateness(order, start, self._session)
        if late is not None:
            self._end(seat, late)
        return late is None

    def _serve(self, seat: Seat, encounter: Encounter, table: Table) -> bool:
        """Fill, keep or end one order; gives whether the path could fill it."""
        if not seat.is_open:  # a sibling took the last of it
            return False
        order = seat.order
        if sizing.has_nothing_to_reduce(order, order.terms or self._terms):
            self._end(seat, EndReason.NOTHING_TO_REDUCE)
            return False
        if encounter.firing is not None:
            self._triggers.append(Trigger(order.id, encounter.firing.at))
        reason = self._try_to_fill(seat, encounter, table) or time_in_force.ending(
            order, encounter, self._path, self._session
        )
        if not seat.is_open:  # complete
            return True
        if reason is None:
            self._keep(seat, encounter)
        else:
            self._end(seat, reason)
        return encounter.meeting is not None

    def _try_to_fill(self, seat: Seat, encounter: Encounter, table: Table) -> EndReason | None:
        order, meeting = seat.order, encounter.meeting
        if meeting is None:
            return None
        terms = order.terms or self._terms
        capacity = sizing.capacity(self._path.volume, terms, self._taken)
        quantity, reason = sizing.filled(order, meeting, terms, capacity)
        if quantity:
            found = Circumstances(order, self._path, terms, meeting, encounter.firing, capacity)
            self._book(seat, explained(found, quantity), table)
        return reason

    def _book(self, seat: Seat, fill: Execution, table: Table) -> None:
        order = seat.order
        self._executions.append(fill)
        self._taken += fill.quantity
        if fill.is_complete:
            seat.is_open = False
        else:
            seat.order = order.changed(remaining=order.remaining - fill.quantity)
        if order.group is not None:
            self._shrink(order, fill.quantity, table)
        for other in self._drawing_with(table):
            if other.is_open:
                other.order = sizing.with_means_left(other.order, order, fill)

    def _drawing_with(self, table: Table) -> Table:
        """Who may draw on the same sum or the same position as those of the table."""
        if not self._reducing:
            return table
        return table + [other for other in self._reducing if other not in table]

    def _shrink(self, order: WorkingOrder, by: Decimal, table: Table) -> None:
        """The siblings have less to fill, or end: they draw on one quantity."""
        by_id = {other.before.id: other for other in table}
        shrinks, ends = brackets.shrunk(seating.standing(table), order, by)
        for shrink in shrinks:
            sibling = by_id[shrink.order_id]
            sibling.order = sibling.order.changed(remaining=sibling.order.remaining - shrink.by)
        self._shrinks += shrinks
        for end in ends:
            self._end(by_id[end.order_id], end.reason)

    def _keep(self, seat: Seat, encounter: Encounter) -> None:
        """The order has met this path, and goes on to the next."""
        order = seat.order
        expires_at = order.expires_at
        if expires_at is None and order.time_in_force is TimeInForce.DAY:
            expires_at = self._session.closing
        seat.order = order.changed(
            is_resting=True,
            is_triggered=order.is_triggered or encounter.firing is not None,
            water_mark=encounter.water_mark or order.water_mark,
            expires_at=expires_at,
            matched_through=self._path.start,
            matched_trade=self._path.trade_id,
        )
        seat.is_kept = True

    def _end(self, seat: Seat, reason: EndReason) -> None:
        seat.is_open = False
        self._expirations.append(Expiration.of(seat.before.id, reason))

    def _with_legs(self, outcome: Outcome, waiting: Table) -> Outcome:
        """Start and end the legs that wait for entries of this book."""
        by_id = {seat.before.id: seat for seat in waiting}
        legs = sorted(seating.standing(waiting), key=brackets.arrival)
        end, price = self._path.end, self._path.close
        started = brackets.activated(legs, outcome.completed, at=end, price=price)
        for start in started:
            seat = by_id[start.order_id]
            seat.order = _started(seat.order, self._path)
        for leg in brackets.ended(legs, outcome.ended):
            self._end(by_id[leg.order_id], leg.reason)
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


def _marks(kept: list[_Change]) -> list[WaterMark]:
    return [
        WaterMark(new.id, new.water_mark)
        for old, new in kept
        if new.water_mark is not None and new.water_mark != old.water_mark
    ]


def _deadlines(kept: list[_Change]) -> list[Deadline]:
    return [
        Deadline(new.id, new.expires_at)
        for old, new in kept
        if new.expires_at is not None and old.expires_at is None
    ]
