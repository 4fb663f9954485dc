"""The life of an order: its states, and the one table of steps between them."""

from __future__ import annotations

from enum import StrEnum


class OrderStatus(StrEnum):
    INITIALIZED = "initialized"
    SUBMITTED = "submitted"
    ACCEPTED = "accepted"
    TRIGGERED = "triggered"
    PARTIALLY_FILLED = "partially_filled"
    FILLED = "filled"
    DENIED = "denied"
    REJECTED = "rejected"
    PENDING_CANCEL = "pending_cancel"
    CANCELED = "canceled"
    PENDING_REPLACE = "pending_replace"
    REPLACED = "replaced"
    EXPIRED = "expired"


_S = OrderStatus

FINAL = frozenset({_S.FILLED, _S.DENIED, _S.REJECTED, _S.CANCELED, _S.REPLACED, _S.EXPIRED})
OPEN = frozenset(OrderStatus) - FINAL
# At work in the market: what a bar may fill.
WORKING = frozenset({_S.ACCEPTED, _S.TRIGGERED, _S.PARTIALLY_FILLED})

_FILLS = frozenset({_S.PARTIALLY_FILLED, _S.FILLED})
_ENDS = frozenset({_S.CANCELED, _S.EXPIRED})
_REQUESTS = frozenset({_S.PENDING_CANCEL, _S.PENDING_REPLACE})
# A fill under way when the venue took the order back arrives after the end, and is recorded.
_LATE_FILL = frozenset({_S.FILLED})

STEPS: dict[OrderStatus, frozenset[OrderStatus]] = {
    # A bracket's leg waits here, may be replaced, and ends with an entry that never fills.
    _S.INITIALIZED: frozenset({_S.SUBMITTED, _S.DENIED, _S.PENDING_REPLACE}) | _ENDS,
    # A venue's fill can outrun its own acknowledgement.
    _S.SUBMITTED: frozenset({_S.ACCEPTED, _S.TRIGGERED, _S.REJECTED, _S.PENDING_CANCEL})
    | _FILLS
    | _ENDS,
    _S.ACCEPTED: frozenset({_S.TRIGGERED, _S.REJECTED}) | _FILLS | _ENDS | _REQUESTS,
    _S.TRIGGERED: frozenset({_S.REJECTED}) | _FILLS | _ENDS | _REQUESTS,
    _S.PARTIALLY_FILLED: _FILLS | _ENDS | _REQUESTS,
    # Back to where it was when the venue declines the request.
    _S.PENDING_CANCEL: WORKING | _FILLS | _ENDS,
    _S.PENDING_REPLACE: WORKING | _FILLS | _ENDS | {_S.REPLACED, _S.PENDING_CANCEL},
    _S.CANCELED: _LATE_FILL,
    _S.EXPIRED: _LATE_FILL,
    _S.REPLACED: _LATE_FILL,
    _S.FILLED: frozenset(),
    _S.DENIED: frozenset(),
    _S.REJECTED: frozenset(),
}


class IllegalStep(ValueError):
    """The table knows no such step; `current` and `to` say which."""

    code = "illegal_order_step"

    def __init__(self, current: OrderStatus, to: OrderStatus) -> None:
        super().__init__(f"an order that is {current} cannot become {to}")
        self.current = current
        self.to = to


def step(current: OrderStatus, to: OrderStatus) -> OrderStatus:
    """`to`, if the table allows the step from `current`. Raises IllegalStep."""
    if to not in STEPS[current]:
        raise IllegalStep(current, to)
    return to


def after_fill(current: OrderStatus, *, is_complete: bool) -> OrderStatus:
    """Where a fill leads. Raises IllegalStep where none can have happened.

    A partial fill leaves an ended order as it is, and does not undo a request under way.
    """
    reached = step(current, _S.FILLED)
    if is_complete:
        return reached
    return _S.PARTIALLY_FILLED if current in WORKING | {_S.SUBMITTED} else current
