"""What may be ordered about a position: more of it, a limit on it, and its end.

All of it by the orders' own actions, which lock, check, record and tell.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from trading.brokers import actions as brokers
from trading.errors import NotFound
from trading.market import queries as market
from trading.orders import actions as orders
from trading.orders import catching_up
from trading.orders.errors import NoPrice, OrderNotOpen
from trading.orders.instructions import Change, Instruction
from trading.orders.models import Order
from trading.position_orders import queries
from trading.position_orders.asking import Floor, Part
from trading.position_orders.errors import PositionClosed, SlippageTooHigh
from trading.positions import actions as positions
from trading.positions.models import Position
from trading.values import OrderType, Side, TimeInForce


@dataclass(frozen=True, slots=True, kw_only=True)
class Sale:
    """How much of a position to sell, and at what: the market's price, or a limit."""

    part: Part
    limit_price: Decimal | None = None
    floor: Floor = field(default_factory=Floor)


def add_funds(
    *,
    position_id: UUID,
    now: datetime,
    amount: Decimal | None = None,
    quantity: Decimal | None = None,
    limit_price: Decimal | None = None,
) -> Order:
    """Buy more: for an `amount` in the quote currency, or a `quantity` in the base asset.

    Raises NotFound, PositionClosed, and what placing an order raises.
    """
    position = _open(position_id)
    order, _ = orders.place(
        Instruction(
            account_id=position.account_id,
            instrument=position.instrument,
            side=Side.BUY,
            type=_type(limit_price),
            time_in_force=TimeInForce.GTC,
            quantity=quantity,
            notional=amount,
            limit_price=limit_price,
        ),
        now=now,
    )
    return order


def place_limit(*, position_id: UUID, sale: Sale, now: datetime) -> Order:
    """Offer a part of a position at a limit.

    Raises NotFound, PositionClosed, SlippageTooHigh, NoPrice, and what placing an order raises.
    """
    return _sell(_open(position_id), sale, now=now)


def change_limit(
    *,
    position_id: UUID,
    order_id: UUID,
    now: datetime,
    precondition: Callable[[Order], None],
    part: Part | None = None,
    limit_price: Decimal | None = None,
    floor: Floor,
) -> Order:
    """Put another limit order in the place of one; None leaves quantity or price as it was.

    Raises NotFound, PositionClosed, SlippageTooHigh, NoPrice, and what replacing an order raises.
    """
    position = _open(position_id)
    order = _limit(position, order_id)
    precondition(order)
    if limit_price is not None:
        _check_slippage(position, limit_price, floor)
    quantity = None if part is None else part.of(position.quantity)
    changed = orders.replace(
        order_id=order.id, change=Change(quantity=quantity, limit_price=limit_price), now=now
    )
    if position.closing_order == order.id:
        positions.expect_close(position_id=position.id, order_id=changed.id)
    return changed


def cancel_limit(*, position_id: UUID, order_id: UUID, now: datetime) -> Order:
    """Take one limit order back. Raises NotFound, PositionClosed or OrderNotOpen."""
    return orders.cancel(order_id=_limit(_open(position_id), order_id).id, now=now)


def cancel_limits(*, position_id: UUID, now: datetime) -> list[Order]:
    """Take all limit orders of a position back. Raises NotFound or PositionClosed."""
    return _cancel(queries.limit_orders(_open(position_id)), now=now)


def close(*, position_id: UUID, sale: Sale, now: datetime) -> Order:
    """Sell a position or a part of it, after its own open sells have been taken back.

    Raises NotFound, PositionClosed (also where one of those sells has just closed it),
    SlippageTooHigh, NoPrice, and what placing an order raises.
    """
    position = _open(position_id)
    catching_up.catch_up(brokers.lock(position.account_id), position.instrument, now=now)
    with transaction.atomic():
        _cancel(queries.open_sells(position), now=now)
        order = _sell(_open(position_id), sale, now=now, reduce_only=True)
        positions.expect_close(position_id=position.id, order_id=order.id)
        return order


def _open(position_id: UUID) -> Position:
    """The position, still open, with its account's lock held. Raises NotFound, PositionClosed."""
    account_id = Position.objects.filter(pk=position_id).values_list("account_id", flat=True)
    found = account_id.first()
    if found is None:
        raise NotFound("There is no such position.")
    brokers.lock_open(found)
    position = Position.objects.get(pk=position_id)
    if position.closed_at is not None:
        raise PositionClosed
    return position


def _limit(position: Position, order_id: UUID) -> Order:
    """Raises NotFound for an order that is not one of the position's limit orders."""
    order = queries.limit_orders(position).filter(pk=order_id).first()
    if order is None:
        raise NotFound("The position has no such limit order.")
    return order


def _sell(position: Position, sale: Sale, *, now: datetime, reduce_only: bool = False) -> Order:
    if sale.limit_price is not None:
        _check_slippage(position, sale.limit_price, sale.floor)
    order, _ = orders.place(
        Instruction(
            account_id=position.account_id,
            instrument=position.instrument,
            side=Side.SELL,
            type=_type(sale.limit_price),
            time_in_force=TimeInForce.GTC,
            quantity=sale.part.of(position.quantity),
            limit_price=sale.limit_price,
            reduce_only=reduce_only,
        ),
        now=now,
    )
    return order


def _check_slippage(position: Position, limit_price: Decimal, floor: Floor) -> None:
    """Raises SlippageTooHigh, or NoPrice where there is nothing to compare with."""
    if floor.max_slippage_bps is None:
        return
    last = market.quote(position.instrument).price
    if last is None:
        raise NoPrice
    if floor.refuses(limit_price, last):
        raise SlippageTooHigh(f"At most {floor.max_slippage_bps:f} basis points.")


def _cancel(rows: QuerySet[Order], *, now: datetime) -> list[Order]:
    """Cancel them in the house's order of locks; what ends with another is not ended twice."""
    ended = []
    for order_id in list(rows.order_by("id").values_list("id", flat=True)):
        try:
            ended.append(orders.cancel(order_id=order_id, now=now))
        except OrderNotOpen:
            continue  # its group's other order, or a bar that was met on the way, has ended it
    return ended


def _type(limit_price: Decimal | None) -> OrderType:
    return OrderType.MARKET if limit_price is None else OrderType.LIMIT
