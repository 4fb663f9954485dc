"""How long an order waits: deadlines, and orders that have one bar."""

from __future__ import annotations

from datetime import datetime, timedelta

from trading.orders.meetings import Encounter
from trading.orders.outcomes import EndReason
from trading.orders.path import Path
from trading.orders.working import WorkingOrder
from trading.records import record
from trading.values import TimeInForce

_AT_ONCE = {
    TimeInForce.IOC: EndReason.IOC_REMAINDER,
    TimeInForce.FOK: EndReason.FOK_NOT_FILLABLE,
}

LATE = {
    TimeInForce.DAY: EndReason.SESSION_ENDED,
    TimeInForce.GTD: EndReason.EXPIRES_AT_REACHED,
}


def midnight_after(moment: datetime) -> datetime:
    return moment.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)


@record(frozen=True, slots=True)
class Session:
    """When day orders end; by default, at the midnight (UTC) after a bar's start."""

    start: datetime
    ends_at: datetime | None = None

    @property
    def closing(self) -> datetime:
        return self.ends_at or midnight_after(self.start)


def lateness(order: WorkingOrder, moment: datetime, session: Session) -> EndReason | None:
    """Why the order does not outlive the moment, if it has a deadline by then."""
    if order.time_in_force not in LATE:
        return None
    deadline = order.expires_at
    if deadline is None and order.time_in_force is TimeInForce.DAY:
        deadline = session.closing
    if deadline is None or deadline > moment:
        return None
    return LATE[order.time_in_force]


def needs_a_bar(order: WorkingOrder) -> bool:
    """Whether the next bar ends it, or sets its deadline, at whatever price."""
    if order.time_in_force is TimeInForce.DAY:
        return order.expires_at is None
    return order.time_in_force in _AT_ONCE and order.is_in_market


def ending(
    order: WorkingOrder, encounter: Encounter, path: Path, session: Session
) -> EndReason | None:
    """Why the remainder does not see another bar, if it does not.

    Immediate orders have the one bar in which they are in the market: for a stop, its trigger's.
    """
    if order.time_in_force in _AT_ONCE and (order.is_in_market or encounter.firing is not None):
        return _AT_ONCE[order.time_in_force]
    return lateness(order, path.end, session)
