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
from trading.market.ticks import Tick
from trading.orders import brackets, levels, path, sizing
from trading.orders.book import Book, Conditions, MixedOrders, Seat
from trading.orders.hanging import Hanging
from trading.orders.outcomes import Outcome
from trading.orders.sleepers import Sleepers
from trading.orders.time_in_force import Session
from trading.orders.working import Terms, WorkingOrder, is_known
from trading.values import exact

_NOTHING = Decimal(0)
_NOTHING_HAPPENED = Outcome()


class LiveBook:
    """Does to each bar or tick what `matching.step` does with all of the open orders.

    An order is awake and meets whatever comes next, sleeps, or is a leg that waits for its entry.
    That a sleeper has met a bar is written into it when somebody looks at it.
    """

    def __init__(self, account: UUID, symbol: str, terms: Terms) -> None:
        self._account, self._symbol, self._terms = account, symbol, terms
        self._open: dict[UUID, WorkingOrder] = {}
        self._awake: set[UUID] = set()
        self._asleep = Sleepers()
        self._hanging = Hanging()
        # The newest bar or tick: all that sleep have met it.
        self._through: datetime | None = None
        self._trade: int | None = None

    @property
    def orders(self) -> tuple[WorkingOrder, ...]:
        """All that are open, as they stand, in the order of time."""
        return tuple(sorted(map(self._as_it_stands, self._open.values()), key=brackets.arrival))

    def place(self, order: WorkingOrder) -> None:
        """Let an order meet what comes from now on; an open one of the same id makes way for it.

        Raises MixedOrders.
        """
        if order.account != self._account or order.symbol != self._symbol:
            raise MixedOrders(f"an order that is not this account's, for {self._symbol}")
        if order.id in self._open:
            self._remove(self._open[order.id])
        self._open[order.id] = order
        self._hanging.add(order)
        if order.waits_for is None:
            self._awake.add(order.id)

    def cancel(self, order_id: UUID) -> tuple[UUID, ...]:
        """End an order with its group and the legs that wait for any of them.

        Gives those that ended, in the order of time; none if it was not open.
        """
        if order_id not in self._open:
            return ()
        ended = [self._open[one] for one in self._hanging.with_others({order_id})]
        for order in ended:
            self._remove(order)
        return tuple(order.id for order in sorted(ended, key=brackets.arrival))

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
        touched = self._awake if is_late else self._awake | self._asleep.reached_by(market)
        outcome = _NOTHING_HAPPENED
        if touched:
            session = Session(market.start, session_ends_at)
            outcome = self._serve(touched, market, session, taken, is_late=is_late)
        if not is_late:
            self._through, self._trade = market.start, trade
        return outcome

    @exact()
    def _serve(
        self,
        touched: set[UUID],
        market: Bar | Tick,
        session: Session,
        taken: Decimal,
        *,
        is_late: bool,
    ) -> Outcome:
        """Let it meet the touched orders, and those that it can change through them."""
        concerned = self._hanging.with_others(touched | self._hanging.reducing)
        met = [self._open[one] for one in concerned]
        if is_late:  # sleepers know a newer one, and have to say so
            met = [self._as_it_stands(order) for order in met]
        book = Book(met, Conditions(path.of(market), self._terms, session, taken))
        outcome = book.serve()
        for seat in book.seats:
            if not seat.is_open:
                self._remove(seat.before)
            elif seat.order is not seat.before:
                self._put_back(seat, may_sleep=seat.is_kept and not is_late)
        return outcome

    def _put_back(self, seat: Seat, *, may_sleep: bool) -> None:
        """Keep what an order has become; once the newest bar has met it, it may sleep."""
        order, before = seat.order, seat.before
        self._open[order.id] = order
        if order.waits_for is not None:
            return
        if before.waits_for is not None:
            self._hanging.remove(before)
            self._hanging.add(order)
        found = levels.of(order)
        is_ending = sizing.has_nothing_to_reduce(order, order.terms or self._terms)
        if found.at_once or is_ending or not may_sleep:
            self._asleep.discard(order.id)
            self._awake.add(order.id)
        else:
            self._awake.discard(order.id)
            self._asleep.put(order.id, found)

    def _remove(self, order: WorkingOrder) -> None:
        """Forget an order that hangs on others as it did when it came."""
        del self._open[order.id]
        self._hanging.remove(order)
        self._awake.discard(order.id)
        self._asleep.discard(order.id)

    def _as_it_stands(self, order: WorkingOrder) -> WorkingOrder:
        if order.id not in self._asleep:
            return order
        return order.changed(matched_through=self._through, matched_trade=self._trade)
