"""Stops: orders that a price against the trader brings into the market."""

from __future__ import annotations

from decimal import Decimal

from trading.orders import direct
from trading.orders.meetings import UNTOUCHED, Encounter, Firing, Meeting, against, fills, within
from trading.orders.path import Path
from trading.orders.working import InvalidOrder, Terms, WorkingOrder
from trading.values import Liquidity


def stop(order: WorkingOrder, path: Path, terms: Terms) -> Encounter:
    """At the stop, or at an open beyond it; no slippage is added to what the rule says.

    What could not be filled in the bar of the trigger is a market order in the bars that follow.
    """
    if order.is_triggered:
        return direct.market(order, path, terms)
    level = _stop_price(order)
    reached_at = path.first_beyond(level, order.side)
    if reached_at is None:
        return UNTOUCHED
    return fired(order, path, terms, level, is_gap=reached_at == 0)


def stop_limit(order: WorkingOrder, path: Path, terms: Terms) -> Encounter:
    """Triggered as a stop; from then on a limit order for the rest of the path, and after it."""
    if order.is_triggered:
        return Encounter(direct.at_limit(order, path, terms, is_resting=True))
    level = _stop_price(order)
    reached_at = path.first_beyond(level, order.side)
    if reached_at is None:
        return UNTOUCHED
    if reached_at == 0:
        meeting = direct.at_limit(order, path, terms, is_resting=False)
        return Encounter(meeting, Firing(path.start, level))
    return Encounter(_after_trigger(order, path, terms, level, reached_at), Firing(path.end, level))


def fired(
    order: WorkingOrder,
    path: Path,
    terms: Terms,
    level: Decimal,
    *,
    is_gap: bool,
    water_mark: Decimal | None = None,
) -> Encounter:
    """A stop that the path triggers takes at its level, or at an open that is beyond it."""
    at = path.start if is_gap else path.end
    price = against(order.side, path.open if is_gap else level, terms)
    name = f"{order.type}_gapped" if is_gap else f"{order.type}_in_bar"
    meeting = Meeting(name, price, Liquidity.TAKER, at)
    return Encounter(meeting, Firing(at, level, water_mark))


def _after_trigger(
    order: WorkingOrder, path: Path, terms: Terms, level: Decimal, reached_at: int
) -> Meeting | None:
    """Inside a bar the price at the trigger is the stop itself; what came before does not count."""
    bound = order.limit_price
    if bound is None:
        raise InvalidOrder("a stop_limit order needs a limit price")
    if fills(level, bound, order.side, terms):
        price = within(against(order.side, level, terms), bound, order.side)
        return Meeting("stop_limit_at_stop", price, Liquidity.TAKER, path.end)
    if fills(path.best(order.side, since=reached_at), bound, order.side, terms):
        return Meeting("stop_limit_after_trigger", bound, Liquidity.MAKER, path.end)
    return None


def _stop_price(order: WorkingOrder) -> Decimal:
    if order.stop_price is None:
        raise InvalidOrder(f"a {order.type} order needs a stop price")
    return order.stop_price
