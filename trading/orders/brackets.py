"""Orders that hang together: legs start or end with their entry, siblings share one quantity."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from trading.orders.meetings import Encounter
from trading.orders.outcomes import Activation, EndReason, Expiration, Shrink
from trading.orders.path import Path
from trading.orders.working import WorkingOrder
from trading.values import OrderType


def activated(
    legs: Iterable[WorkingOrder], completed: Collection[UUID], *, at: datetime, price: Decimal
) -> tuple[Activation, ...]:
    """The legs that start because their entry is completely filled.

    They start as orders placed `at` the end of the bar that completed it, when `price` was the
    last: that bar does not match them, and a trailing stop's mark begins at the price.
    """
    return tuple(Activation(leg.id, at, price) for leg in legs if leg.waits_for in completed)


def ended(legs: Iterable[WorkingOrder], entries: Collection[UUID]) -> tuple[Expiration, ...]:
    """The legs that end because their entry ended without being complete, in whatever way."""
    return tuple(
        Expiration.of(leg.id, EndReason.ENTRY_NOT_FILLED)
        for leg in legs
        if leg.waits_for in entries
    )


def arrival(order: WorkingOrder) -> tuple[int, UUID]:
    return order.sequence, order.id


def turn(order: WorkingOrder, encounter: Encounter, path: Path) -> tuple[int, bool]:
    """When a sibling is served: what fills at the open first, then stops before limits.

    Inside a bar nobody knows which price came first, so the worse one for the trader is taken.
    """
    if encounter.meeting is None:
        return 2, takes_profit(order)
    return int(encounter.meeting.at != path.start), takes_profit(order)


def takes_profit(order: WorkingOrder) -> bool:
    """Whether a stop of its group wins over it in a bar that could fill both."""
    return order.type is OrderType.LIMIT


def shrunk(
    orders: Iterable[WorkingOrder], filled: WorkingOrder, quantity: Decimal
) -> tuple[tuple[Shrink, ...], tuple[Expiration, ...]]:
    """What a fill of one order does to the siblings in its group: who shrinks, and who ends.

    The orders as they stood before the fill; a sibling without a remainder ends instead.
    """
    if filled.group is None:
        return (), ()
    siblings = [o for o in orders if o.group == filled.group and o.id != filled.id]
    shrinks = tuple(Shrink(o.id, quantity) for o in siblings if o.remaining > quantity)
    ends = tuple(
        Expiration.of(o.id, EndReason.OCO_SIBLING_FILLED)
        for o in siblings
        if o.remaining <= quantity
    )
    return shrinks, ends
