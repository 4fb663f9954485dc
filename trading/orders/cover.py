"""What a buy without a limit may cost when it meets a bar or tick. Pure."""

from __future__ import annotations

from decimal import Decimal

from trading.market.bars import Bar
from trading.market.ticks import Tick
from trading.orders import funds
from trading.orders.costs import slipped
from trading.orders.working import Terms, WorkingOrder
from trading.values import OrderType, Side, exact, round_up


@exact()
def needed(order: WorkingOrder, printed: Bar | Tick, terms: Terms) -> Decimal | None:
    """The most that the rest can cost at this bar or tick, fee included, in the quote currency.

    None where the order itself sets the bound (a limit, a sum of money), for a sale, and for a
    stop that it does not reach.
    """
    if order.side is Side.SELL or order.limit_price is not None:
        return None
    price = _price(order, printed, terms)
    if price is None:
        return None
    fee_bps = max(terms.costs.maker_bps, terms.costs.taker_bps)
    return funds.limit_buy(order.remaining, round_up(price, terms.increments.price), fee_bps)


def _price(order: WorkingOrder, printed: Bar | Tick, terms: Terms) -> Decimal | None:
    if order.is_in_market:
        return slipped(printed.open, Side.BUY, terms.costs)
    if order.type is OrderType.STOP and order.stop_price is not None:
        return max(printed.open, order.stop_price) if printed.high >= order.stop_price else None
    return printed.high  # a trailing stop is triggered nowhere above
