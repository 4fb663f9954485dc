"""Stored orders in the words of the engine."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal
from typing import cast

from trading.brokers.models import Account
from trading.market.models import Instrument
from trading.orders.costs import Costs
from trading.orders.levels import Waiting
from trading.orders.models import Order
from trading.orders.outcomes import Execution
from trading.orders.states import OrderStatus
from trading.orders.working import Terms, WorkingOrder
from trading.values import Increments, OrderType, Side, TimeInForce


def of(orders: Iterable[Order], instrument: Instrument) -> list[WorkingOrder]:
    """As the market meets them, in the order given; legs that have not started wait."""
    return [_of(order, place, instrument) for place, order in enumerate(orders)]


def terms(priced: Account | Order, instrument: Instrument) -> Terms:
    """The costs of an account, or those that an order was placed on, on the instrument's steps."""
    costs = Costs(
        maker_bps=priced.maker_bps,
        taker_bps=priced.taker_bps,
        slippage_bps=priced.slippage_bps,
    )
    steps = Increments(instrument.price_increment, instrument.quantity_increment)
    return Terms(costs=costs, increments=steps)


def waiting(order: Order) -> Waiting:
    """What says when an open order is touched next."""
    return Waiting(
        side=Side(order.side),
        type=OrderType(order.type),
        is_resting=order.is_resting,
        is_triggered=order.is_triggered,
        limit_price=order.limit_price,
        stop_price=order.stop_price,
        trail_amount=order.trail_amount,
        trail_percent=order.trail_percent,
        water_mark=order.water_mark,
        expires_at=order.expires_at,
    )


def moment(execution: Execution) -> str:
    """What of the market made a fill: an order is filled by it once at most."""
    source = cast("dict[str, dict[str, str]]", execution.source)
    if "tick" in source:
        return f"{source['tick']['at']}:{source['tick']['trade_id']}"
    return source["bar"]["start"]


def as_placed(
    order: Order, place: int, instrument: Instrument, *, price: Decimal | None
) -> WorkingOrder:
    """The order before it met anything; `price` was the last then. Its parent has been read."""
    waits = order.parent is not None and order.parent.role == Order.Role.ENTRY
    return replace(
        _as_asked(order, place, instrument),
        remaining=order.quantity,
        water_mark=price if order.type == OrderType.TRAILING_STOP else None,
        expires_at=order.expires_at,
        matched_through=order.placed_after,
        matched_trade=order.placed_trade,
        waits_for=order.parent_id if waits else None,
    )


def _of(order: Order, place: int, instrument: Instrument) -> WorkingOrder:
    waits = order.status == OrderStatus.INITIALIZED
    return replace(
        _as_asked(order, place, instrument),
        remaining=order.remaining,
        water_mark=order.water_mark,
        expires_at=order.expires_at,
        matched_through=order.matched_through,
        matched_trade=order.matched_trade,
        is_resting=order.is_resting,
        is_triggered=order.is_triggered,
        spendable=order.locked if order.side == Side.BUY else None,
        waits_for=order.parent_id if waits else None,
    )


def _as_asked(order: Order, place: int, instrument: Instrument) -> WorkingOrder:
    """What of it never changes."""
    return WorkingOrder(
        id=order.id,
        account=order.account_id,
        symbol=order.instrument,
        side=Side(order.side),
        type=OrderType(order.type),
        remaining=order.quantity,
        sequence=place,
        limit_price=order.limit_price,
        stop_price=order.stop_price,
        trail_amount=order.trail_amount,
        trail_percent=order.trail_percent,
        time_in_force=TimeInForce(order.time_in_force),
        expires_at=order.expires_at,
        post_only=order.post_only,
        group=order.group,
        terms=terms(order, instrument),
    )
