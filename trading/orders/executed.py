"""What the engine executed, in the books: cash, position, order, and the fill that explains it."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from tenants.identifiers import new_id
from trading.brokers import actions as brokers
from trading.market.models import Instrument
from trading.orders import endings, fills, states, working_orders
from trading.orders.models import Order
from trading.orders.outcomes import Execution
from trading.orders.states import OrderStatus
from trading.positions import actions as positions
from trading.positions.pnl import HoldingFill
from trading.values import Side, exact, plain

_PLACES = Decimal(1).scaleb(-18)
Orders = dict[UUID, Order]


@exact()
def book(
    order: Order, execution: Execution, orders: Orders, instrument: Instrument, now: datetime
) -> None:
    """Book an execution of a locked order; `orders` are all of its instrument that are locked."""
    holder = holder_of(order, orders)
    _pay(order, holder, execution, instrument, now)
    fill = fills.record(
        order,
        HoldingFill(execution.side, execution.quantity, execution.price, execution.fee),
        origin=_origin(order, orders),
        currency=instrument.quote,
        liquidity=execution.liquidity,
        trade_id=f"{order.id}:{working_orders.moment(execution)}",
        model=execution.model,
        source=execution.source,
        executed_at=execution.executed_at,
        now=now,
    )
    _advance(order, holder, execution, now)
    if holder is not order:
        holder.save(update_fields=["locked"])
    more = {"fill": str(fill.id), "fill_quantity": plain(fill.quantity), "price": plain(fill.price)}
    endings.tell(order, f"order.{order.status}", now, **more)


def _origin(order: Order, orders: Orders) -> positions.Origin:
    """What its position is told of a fill; an entry's legs are among the orders."""
    legs = {leg.role: leg for leg in orders.values() if leg.parent_id == order.id}
    profit, stop = legs.get(Order.Role.TAKE_PROFIT), legs.get(Order.Role.STOP_LOSS)
    return positions.Origin(
        fill_id=new_id(),
        order_ids=frozenset(filter(None, (order.id, order.replaces_id))),
        take_profit=profit.limit_price if profit else None,
        stop_loss=stop.stop_price if stop else None,
    )


def holder_of(order: Order, orders: Orders) -> Order:
    """Who holds what the order draws on: itself, or the one of its group that locked for all."""
    if order.group is None or order.locked:
        return order
    siblings = (o for o in orders.values() if o.group == order.group and o.locked)
    return next(siblings, order)


def _pay(
    order: Order, holder: Order, execution: Execution, instrument: Instrument, now: datetime
) -> None:
    """Move the money: a buy out of what it locked, a sell's proceeds into the free part."""
    balance = brokers.balance_of(order.account, instrument.quote)
    value = execution.quantity * execution.price
    if execution.side is Side.BUY:
        holder.locked -= value + execution.fee
        brokers.move(balance, locked=-(value + execution.fee), now=now)
    else:
        holder.locked -= execution.quantity
        brokers.move(balance, free=value - execution.fee, now=now)


def _advance(order: Order, holder: Order, execution: Execution, now: datetime) -> None:
    """The order's own account of what has been filled; a complete one frees what is left over."""
    spent = (order.average_price or Decimal(0)) * order.filled_quantity
    order.filled_quantity += execution.quantity
    spent += execution.price * execution.quantity
    order.average_price = (spent / order.filled_quantity).quantize(_PLACES)
    order.fees += execution.fee
    order.status = states.after_fill(OrderStatus(order.status), is_complete=execution.is_complete)
    if execution.is_complete and holder is order:
        endings.release(order, order.locked, now=now)
    order.updated_at = now
    order.save(update_fields=_FILLED)


_FILLED = (
    "filled_quantity",
    "average_price",
    "fees",
    "status",
    "locked",
    "is_triggered",
    "updated_at",
)
