"""How long an order waits: deadlines, and orders that have one bar."""

from __future__ import annotations

from datetime import datetime, timedelta

from trading.orders.meetings import Encounter
from trading.orders.outcomes import EndReason
from trading.orders.path import Path
from trading.orders.working import WorkingOrder
from trading.values import TimeInForce

_AT_ONCE = {
    TimeInForce.IOC: EndReason.IOC_REMAINDER,
    TimeInForce.FOK: EndReason.FOK_NOT_FILLABLE,
}

_LATE = {
    TimeInForce.DAY: EndReason.SESSION_ENDED,
    TimeInForce.GTD: EndReason.EXPIRES_AT_REACHED,
}


def midnight_after(moment: datetime) -> datetime:
    return moment.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)


def lateness(order: WorkingOrder, moment: datetime, closing: datetime) -> EndReason | None:
    """Why the order does not outlive the moment, if it has a deadline by then."""
    deadline = order.expires_at
    if order.time_in_force is TimeInForce.DAY:
        deadline = deadline or closing
    if order.time_in_force not in _LATE or deadline is None or deadline > moment:
        return None
    return _LATE[order.time_in_force]


def ending(
    order: WorkingOrder, encounter: Encounter, path: Path, closing: datetime
) -> EndReason | None:
    """Why the remainder does not see another bar, if it does not.

    Immediate orders have the one bar in which they are in the market: for a stop, its trigger's.
    """
    is_live = order.is_in_market or encounter.firing is not None
    if is_live and order.time_in_force in _AT_ONCE:
        return _AT_ONCE[order.time_in_force]
    return lateness(order, path.end, closing)
