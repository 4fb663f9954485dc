"""Where a path meets an order: one rule for each order type."""

from __future__ import annotations

from collections.abc import Callable

from trading.orders import direct, stops, trailing
from trading.orders.meetings import Encounter
from trading.orders.path import Path
from trading.orders.working import Terms, WorkingOrder
from trading.values import OrderType

Rule = Callable[[WorkingOrder, Path, Terms], Encounter]

RULES: dict[OrderType, Rule] = {
    OrderType.MARKET: direct.market,
    OrderType.LIMIT: direct.limit,
    OrderType.STOP: stops.stop,
    OrderType.STOP_LIMIT: stops.stop_limit,
    OrderType.TRAILING_STOP: trailing.trailing_stop,
}


def meet(order: WorkingOrder, path: Path, terms: Terms) -> Encounter:
    """What the path does to the order: a way to be filled, a trigger, or a moved mark."""
    return RULES[order.type](order, path, terms)
