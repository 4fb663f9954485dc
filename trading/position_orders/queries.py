"""Which orders belong to a position: those of its account that sell its instrument."""

from __future__ import annotations

from django.db.models import QuerySet

from trading.orders.models import Order
from trading.orders.states import OrderStatus
from trading.positions.models import Position
from trading.values import OrderType, Side


def open_sells(position: Position) -> QuerySet[Order]:
    """What is in the market; legs that wait for their entry are not, and of a closed one none."""
    if position.closed_at is not None:
        return Order.objects.none()
    rows = Order.objects.open().filter(account=position.account_id, side=Side.SELL)
    return rows.for_instrument(position.instrument).exclude(status=OrderStatus.INITIALIZED)


def limit_orders(position: Position) -> QuerySet[Order]:
    """Those of them with a limit, a bracket's take-profit included."""
    return open_sells(position).filter(type=OrderType.LIMIT)
