"""The matching engine: orders of one account meet the market, and the same input gives the same.

Accounts do not compete for a bar's volume: otherwise one tenant's orders could be seen in the fills
of another. A tick is matched as the bar that is its one price, with its quantity as the volume.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from decimal import Decimal

from trading.market.bars import Bar
from trading.market.ticks import Tick
from trading.orders import path
from trading.orders.book import Book, Conditions, MixedOrders
from trading.orders.outcomes import Outcome
from trading.orders.path import BAR_MODEL as MODEL
from trading.orders.path import TICK_MODEL, Path
from trading.orders.seats import Seat
from trading.orders.time_in_force import Session
from trading.orders.working import Terms, WorkingOrder
from trading.records import record
from trading.values import exact

__all__ = ["MODEL", "TICK_MODEL", "MixedOrders", "Step", "match", "match_path", "step", "walk"]

_NOTHING = Decimal(0)


@record(frozen=True, slots=True)
class Step:
    """What one bar or tick did, and the orders that are open after it, as the next one meets them.

    Legs that the step activated are among them, and no longer wait.
    """

    outcome: Outcome
    orders: tuple[WorkingOrder, ...]


def match(
    orders: Sequence[WorkingOrder],
    market: Bar | Tick,
    terms: Terms,
    *,
    session_ends_at: datetime | None = None,
    taken: Decimal = _NOTHING,
) -> Outcome:
    """What a bar or tick does to the open orders of one account, in time priority.

    Day orders end with the session, at midnight UTC unless said otherwise. `taken` is what other
    orders of the account have had of its volume, in the base asset. Orders that wait for an entry
    are not met; where their entry is among the orders, it starts or ends them. Raises MixedOrders.
    """
    return step(orders, market, terms, session_ends_at=session_ends_at, taken=taken).outcome


@exact()
def step(
    orders: Sequence[WorkingOrder],
    market: Bar | Tick,
    terms: Terms,
    *,
    session_ends_at: datetime | None = None,
    taken: Decimal = _NOTHING,
) -> Step:
    """As `match`, together with the orders that go on. Raises MixedOrders."""
    if not orders:
        return Step(Outcome(), ())
    met = path.of(market)
    _check_one_book(orders, met)
    session = Session(met.start, session_ends_at)
    book = Book([Seat(order) for order in orders], Conditions(met, terms, session, taken))
    return Step(book.serve(), book.left_open())


def walk(
    orders: Sequence[WorkingOrder],
    markets: Iterable[Bar | Tick],
    terms: Terms,
    *,
    session_ends_at: datetime | None = None,
) -> Iterator[Step]:
    """Bars or ticks in the order of time, ticks of one moment by trade id, each with its step.

    Raises MixedOrders.
    """
    for market in sorted(markets, key=_moment):
        done = step(orders, market, terms, session_ends_at=session_ends_at)
        yield done
        orders = done.orders


def match_path(
    orders: Sequence[WorkingOrder],
    markets: Iterable[Bar | Tick],
    terms: Terms,
    *,
    session_ends_at: datetime | None = None,
) -> Outcome:
    """What several bars or ticks in a row do: the finer bars of a coarse one tell what came first.

    Each has its own volume, and immediate orders end with the first. Raises MixedOrders.
    """
    outcome = Outcome()
    for done in walk(orders, markets, terms, session_ends_at=session_ends_at):
        outcome = outcome.then(done.outcome)
    return outcome


def _moment(market: Bar | Tick) -> tuple[datetime, int]:
    return (market.at, market.trade_id) if isinstance(market, Tick) else (market.start, 0)


def _check_one_book(orders: Sequence[WorkingOrder], met: Path) -> None:
    if len({order.account for order in orders}) > 1:
        raise MixedOrders("orders of several accounts")
    if any(order.symbol != met.symbol for order in orders):
        raise MixedOrders(f"an order that is not for {met.symbol}")
