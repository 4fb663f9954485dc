"""Trailing stops: the level follows the price that served the position best, and never back."""

from __future__ import annotations

from decimal import Decimal

from trading.orders import direct
from trading.orders.meetings import Encounter, against
from trading.orders.path import Path, reached
from trading.orders.stops import fired
from trading.orders.working import InvalidOrder, Terms, WorkingOrder
from trading.values import Side, exact

_HUNDRED = Decimal(100)


def trailing_stop(order: WorkingOrder, path: Path, terms: Terms) -> Encounter:
    """At the level where the path comes back to it; at an open beyond the level before the bar."""
    if order.is_triggered:
        return direct.market(order, path, terms)
    # Without a mark from before, the open is the mark, and an open is never beyond its own level.
    mark = path.open if order.water_mark is None else order.water_mark
    level = level_of(order, mark, terms)
    for place, price in enumerate(path.points):
        if reached(price, level, order.side):
            return fired(order, path, terms, level, is_gap=place == 0, water_mark=mark)
        if price > mark if order.side is Side.SELL else price < mark:
            mark, level = price, level_of(order, price, terms)
    return Encounter(water_mark=mark)


@exact()
def level_of(order: WorkingOrder, mark: Decimal, terms: Terms) -> Decimal:
    """Where the order triggers while its mark stands there, rounded against the trader."""
    trail = order.trail_amount
    if trail is None:
        if order.trail_percent is None:
            raise InvalidOrder("a trailing stop needs an amount or a percentage")
        trail = mark * order.trail_percent / _HUNDRED
    level = mark - trail if order.side is Side.SELL else mark + trail
    return against(order.side, level, terms)
