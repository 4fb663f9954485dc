"""Orders that are in the market from the start: market and limit."""

from __future__ import annotations

from trading.orders.costs import slipped
from trading.orders.meetings import UNTOUCHED, Encounter, Meeting, against, fills, within
from trading.orders.path import Path
from trading.orders.working import InvalidOrder, Terms, WorkingOrder
from trading.values import Liquidity


def market(order: WorkingOrder, path: Path, terms: Terms) -> Encounter:
    """At the open, moved against the trader by the slippage."""
    price = against(order.side, slipped(path.open, order.side, terms.costs), terms)
    return Encounter(Meeting("market_at_open", price, Liquidity.TAKER, path.start))


def limit(order: WorkingOrder, path: Path, terms: Terms) -> Encounter:
    """Where the path goes through the limit: at the limit, or at an open that is better."""
    meeting = at_limit(order, path, terms, is_resting=order.is_resting)
    return UNTOUCHED if meeting is None else Encounter(meeting)


def at_limit(order: WorkingOrder, path: Path, terms: Terms, *, is_resting: bool) -> Meeting | None:
    """How a path fills an order that is a limit order from its open on, if it does."""
    bound = order.limit_price
    if bound is None:
        raise InvalidOrder(f"a {order.type} order needs a limit price")
    if not fills(path.best(order.side), bound, order.side, terms):
        return None
    if not fills(path.open, bound, order.side, terms):
        return Meeting("limit_in_bar", bound, Liquidity.MAKER, path.end)
    price = within(against(order.side, path.open, terms), bound, order.side)
    # A gap comes to an order that waited in the book; a new order comes to the book.
    if is_resting:
        return Meeting("limit_gapped", price, Liquidity.MAKER, path.start)
    return Meeting("limit_at_open", price, Liquidity.TAKER, path.start)
