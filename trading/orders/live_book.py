"""An account's open orders in one instrument, kept from bar to bar: for bots and backtests.

An order that a bar has met and left open sleeps until a bar reaches one of its levels, so that
ten thousand orders far from the market cost no more than none. Those that are touched meet the
bar in a `Book`, and so by the rules that hold for everyone.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from trading.market.bars import Bar
from trading.market.places import is_known
from trading.market.ticks import Tick
from trading.orders import brackets, levels, path, seats, sizing, time_in_force
from trading.orders.book import Book, Conditions, MixedOrders
from trading.orders.hanging import Hanging
from trading.orders.outcomes import Outcome
from trading.orders.seats import Seat
from trading.orders.sleepers import Sleepers
from trading.orders.time_in_force import Session
from trading.orders.working import Terms, WorkingOrder
from trading.values import exact

_NOTHING = Decimal(0)
_NOTHING_HAPPENED = Outcome()


class LiveBook:
    """Does to each bar or tick what `matching.step` does with all of the open orders.

    An order is awake and meets whatever comes next, sleeps, or is a leg that waits for its entry.
    That a sleeper has met bars, and rests, is written into it when somebody looks at it.
    """

    def __init__(self, account: UUID, symbol: str, terms: Terms) -> None:
        self._account, self._symbol, self._terms = account, symbol, terms
        self._seats: dict[UUID, Seat] = {}
        self._awake: set[Seat] = set()
        self._asleep = Sleepers()
        self._new: set[Seat] = set()  # those that sleep and have met nothing since they came
        self._hanging = Hanging()
        # The newest bar or tick: all that sleep have met it.
        self._through: datetime | None = None
        self._trade: int | None = None

    @property
    def orders(self) -> tuple[WorkingOrder, ...]:
        """All that are open, as they stand, in the order of time."""
        standing = map(self._as_it_stands, self._seats.values())
        return tuple(sorted(standing, key=brackets.arrival))

    def place(self, order: WorkingOrder) -> None:
        """Let an order meet what comes from now on; an open one of the same id makes way for it.

        Raises MixedOrders.
        """
        if order.account != self._account or order.symbol != self._symbol:
            raise MixedOrders(f"an order that is not this account's, for {self._symbol}")
        if order.id in self._seats:
            self._remove(self._seats[order.id])
        seat = self._seats[order.id] = Seat(order)
        self._hanging.add(seat)
        if order.waits_for is None:
            self._settle(seat, knows_newest=self._knows_no_more(order))
            if seat.asleep_at is not None:
                self._new.add(seat)

    def cancel(self, order_id: UUID) -> tuple[UUID, ...]:
        """End an order with its group and the legs that wait for any of them.

        Gives those that ended, in the order of time; none if it was not open.
        """
        if order_id not in self._seats:
            return ()
        ended = sorted(self._hanging.with_others({self._seats[order_id]}), key=seats.arrival)
        for seat in ended:
            self._remove(seat)
        return tuple(seat.order.id for seat in ended)

    def meet(
        self,
        market: Bar | Tick,
        *,
        session_ends_at: datetime | None = None,
        taken: Decimal = _NOTHING,
    ) -> Outcome:
        """As `matching.match` with all of the open orders. Raises MixedOrders."""
        if market.symbol != self._symbol:
            raise MixedOrders(f"orders that are not for {market.symbol}")
        trade = market.trade_id if isinstance(market, Tick) else None
        is_late = is_known(market.start, trade, self._through, self._trade)
        reached = self._new if is_late else self._asleep.reached_by(market)
        touched = self._awake.union(reached)
        outcome = _NOTHING_HAPPENED
        if touched:
            session = Session(market.start, session_ends_at)
            outcome = self._serve(touched, market, session, taken, is_late=is_late)
        if not is_late:
            self._through, self._trade = market.start, trade
            self._new.clear()
        return outcome

    @exact()
    def _serve(
        self,
        touched: set[Seat],
        market: Bar | Tick,
        session: Session,
        taken: Decimal,
        *,
        is_late: bool,
    ) -> Outcome:
        """Let it meet the touched orders, and those that it can change through them."""
        met = self._hanging.with_others(touched | self._hanging.reducing)
        for seat in met:
            if is_late or not seat.order.is_resting:  # else only what the bar will say again
                seat.order = self._as_it_stands(seat)
        book = Book(met, Conditions(path.of(market), self._terms, session, taken))
        outcome = book.serve()
        for seat in met:
            if not seat.is_open:
                self._remove(seat)
            elif seat.order is not seat.before:
                self._put_back(seat, knows_newest=seat.is_kept and not is_late)
        return outcome

    def _put_back(self, seat: Seat, *, knows_newest: bool) -> None:
        """Keep what an order has become."""
        if seat.order.waits_for is not None:
            return
        if seat.before.waits_for is not None:
            self._hanging.start(seat, seat.before.waits_for)
        self._new.discard(seat)
        self._settle(seat, knows_newest=knows_newest)

    def _settle(self, seat: Seat, *, knows_newest: bool) -> None:
        """Let an order sleep that later bars change only at its levels; else it is awake."""
        found = levels.reached(seat.order)
        if not knows_newest or found.at_once or self._is_busy(seat.order):
            self._asleep.wake(seat)
            self._awake.add(seat)
        else:
            self._awake.discard(seat)
            self._asleep.put(seat, found)

    def _is_busy(self, order: WorkingOrder) -> bool:
        """Whether the next bar ends it, or sets its deadline, at whatever price."""
        return time_in_force.needs_a_bar(order) or sizing.has_nothing_to_reduce(
            order, order.terms or self._terms
        )

    def _knows_no_more(self, order: WorkingOrder) -> bool:
        """Whether an order that comes knows no bar that is still to come."""
        through = order.matched_through
        if through is None:
            return True
        return is_known(through, order.matched_trade, self._through, self._trade)

    def _remove(self, seat: Seat) -> None:
        del self._seats[seat.order.id]
        self._hanging.remove(seat)
        self._awake.discard(seat)
        self._asleep.wake(seat)
        self._new.discard(seat)

    def _as_it_stands(self, seat: Seat) -> WorkingOrder:
        if seat.asleep_at is None or seat in self._new:
            return seat.order
        return seat.order.changed(
            is_resting=True, matched_through=self._through, matched_trade=self._trade
        )
