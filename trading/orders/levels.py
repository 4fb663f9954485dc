"""At which prices and times an open order has to be looked at again. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from trading.orders.working import WorkingOrder
from trading.records import record
from trading.values import OrderType, Side, exact

_HUNDRED = Decimal(100)


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """As much of an open order as says when it will be touched."""

    side: Side
    type: OrderType
    is_resting: bool
    is_triggered: bool
    limit_price: Decimal | None
    stop_price: Decimal | None
    trail_amount: Decimal | None
    trail_percent: Decimal | None
    water_mark: Decimal | None
    expires_at: datetime | None


@record(frozen=True, slots=True)
class Levels:
    """A bar touches the order when its low is at or under `below`, its high at or over `above`,
    or its end at or past `until`; `at_once` by whatever comes next."""

    at_once: bool = False
    below: Decimal | None = None
    above: Decimal | None = None
    until: datetime | None = None


_AT_ONCE = Levels(at_once=True)


def of(order: Waiting | WorkingOrder) -> Levels:
    """The levels of an open order; never narrower than what a bar can do to it.

    The first bar that it meets makes it rest, and so touches it in any case.
    """
    return reached(order) if order.is_resting else _AT_ONCE


def reached(order: Waiting | WorkingOrder) -> Levels:
    """The levels that a bar has to reach to do anything but make it rest."""
    below, above = _prices(order)
    if below is None and above is None:
        return _AT_ONCE
    return Levels(below=below, above=above, until=order.expires_at)


def _prices(order: Waiting | WorkingOrder) -> tuple[Decimal | None, Decimal | None]:
    if order.type is OrderType.MARKET:
        return None, None
    buys = order.side is Side.BUY
    if order.type is OrderType.TRAILING_STOP and not order.is_triggered:
        return _trailing(order, buys=buys)
    is_limit = order.type is OrderType.LIMIT or order.type is OrderType.STOP_LIMIT
    if is_limit and (order.type is OrderType.LIMIT or order.is_triggered):
        return (order.limit_price, None) if buys else (None, order.limit_price)
    if order.type in (OrderType.STOP, OrderType.STOP_LIMIT) and not order.is_triggered:
        return (None, order.stop_price) if buys else (order.stop_price, None)
    return None, None  # what trades at the market takes the next bar


def _trailing(
    order: Waiting | WorkingOrder, *, buys: bool
) -> tuple[Decimal | None, Decimal | None]:
    """Its level on one side, and on the other its mark, which has to move along."""
    mark = order.water_mark
    if mark is None:
        return None, None
    with exact():
        trail = order.trail_amount
        if trail is None:
            trail = mark * (order.trail_percent or Decimal(0)) / _HUNDRED
        return (mark, mark + trail) if buys else (mark - trail, mark)
