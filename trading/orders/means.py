"""What an order needs to be carried out, and how that is set aside for it: steps of actions."""

from __future__ import annotations

from decimal import Decimal

from trading.brokers import actions as brokers
from trading.market.queries import Quote
from trading.orders import drafts, funds
from trading.orders.errors import NothingToReduce
from trading.orders.models import Order
from trading.positions import actions as positions
from trading.values import Side, exact


def of(order: Order, quote: Quote) -> Decimal:
    """What the order may cost at most: quantity for a sale, money with its fee for a buy."""
    quantity: Decimal = order.quantity
    if order.side == Side.SELL:
        return quantity
    fee_bps = max(order.maker_bps, order.taker_bps)
    if order.notional is not None:
        return funds.notional_buy(order.notional, fee_bps)
    if order.limit_price is not None:
        return funds.limit_buy(quantity, order.limit_price, fee_bps)
    return funds.market_buy(quantity, drafts.reference(order, quote), fee_bps)


def only_reduce(order: Order) -> None:
    """No more than is free of the position; nothing but a holding can be made smaller.

    Raises NothingToReduce.
    """
    if order.side == Side.BUY:
        raise NothingToReduce("Positions are long: only a sale reduces one.")
    order.quantity = min(order.quantity, positions.free_quantity(order.account, order.instrument))
    if order.quantity <= 0:
        raise NothingToReduce


@exact()
def set_aside(order: Order) -> None:
    """Lock what the order has reserved, of its account's money or of its position.

    Raises what the one or the other is short of.
    """
    order.locked = order.reserved
    if order.side == Side.SELL:
        positions.lock_quantity(order.account, order.instrument, order.locked)
        return
    balance = brokers.balance_of(order.account, order.locked_currency)
    brokers.move(balance, free=-order.locked, locked=order.locked, now=order.created_at)
