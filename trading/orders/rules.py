"""Where a bar meets an order: one small function for each order type."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from trading.market.bars import Bar
from trading.orders.costs import slipped
from trading.orders.working import InvalidOrder, Terms, WorkingOrder
from trading.values import Liquidity, OrderType, Side, round_down, round_up


@dataclass(frozen=True, slots=True)
class Meeting:
    """A bar can fill an order at `price`; `name` says by which rule."""

    name: str
    price: Decimal
    liquidity: Liquidity
    at: datetime


Rule = Callable[[WorkingOrder, Bar, Terms], Meeting | None]


class UnsupportedOrderType(ValueError):
    """There is no rule yet for orders of this type."""

    code = "unsupported_order_type"

    def __init__(self, order_type: OrderType) -> None:
        super().__init__(f"{order_type} orders cannot be matched")
        self.order_type = order_type


def meet(order: WorkingOrder, bar: Bar, terms: Terms) -> Meeting | None:
    """How the bar can fill the order, if it can. Raises UnsupportedOrderType."""
    rule = RULES.get(order.type)
    if rule is None:
        raise UnsupportedOrderType(order.type)
    return rule(order, bar, terms)


def _market(order: WorkingOrder, bar: Bar, terms: Terms) -> Meeting:
    price = _against(order.side, slipped(bar.open, order.side, terms.costs), terms)
    return Meeting("market_at_open", price, Liquidity.TAKER, bar.start)


def _limit(order: WorkingOrder, bar: Bar, terms: Terms) -> Meeting | None:
    limit = order.limit_price
    if limit is None:
        raise InvalidOrder("a limit order needs a limit price")
    best = bar.low if order.side is Side.BUY else bar.high
    if not _reaches(best, limit, order.side, terms):
        return None
    if not _reaches(bar.open, limit, order.side, terms):
        return Meeting("limit_in_bar", limit, Liquidity.MAKER, bar.end)
    price = _within(_against(order.side, bar.open, terms), limit, order.side)
    # A gap comes to an order that waited in the book; a new order comes to the book.
    if order.is_resting:
        return Meeting("limit_gapped", price, Liquidity.MAKER, bar.start)
    return Meeting("limit_at_open", price, Liquidity.TAKER, bar.start)


RULES: dict[OrderType, Rule] = {OrderType.MARKET: _market, OrderType.LIMIT: _limit}


def _reaches(price: Decimal, limit: Decimal, side: Side, terms: Terms) -> bool:
    """Whether the market at `price` fills the limit: through it, or at it where a touch is enough.

    At exactly the limit others stand before us in the queue, so a touch alone proves nothing.
    """
    if price == limit:
        return terms.touch
    return price < limit if side is Side.BUY else price > limit


def _against(side: Side, price: Decimal, terms: Terms) -> Decimal:
    """On the increment, rounded to the trader's disadvantage."""
    rounded = round_up if side is Side.BUY else round_down
    return rounded(price, terms.increments.price)


def _within(price: Decimal, limit: Decimal, side: Side) -> Decimal:
    return min(price, limit) if side is Side.BUY else max(price, limit)
