"""What comes out of matching, in the order in which it happened to the account."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Protocol, TypeVar
from uuid import UUID

from trading.orders.states import OrderStatus
from trading.records import record
from trading.values import Liquidity, Side


class EndReason(StrEnum):
    """Why what remained of an order was not left open."""

    IOC_REMAINDER = "ioc_remainder"
    FOK_NOT_FILLABLE = "fok_not_fillable"
    SESSION_ENDED = "session_ended"
    EXPIRES_AT_REACHED = "expires_at_reached"
    POST_ONLY_WOULD_TAKE = "post_only_would_take"
    FUNDS_SPENT = "funds_spent"
    NOTHING_TO_REDUCE = "nothing_to_reduce"
    OCO_SIBLING_FILLED = "oco_sibling_filled"
    ENTRY_NOT_FILLED = "entry_not_filled"

    @property
    def status(self) -> OrderStatus:
        """Expired by its own time in force, or canceled by what happened around it."""
        return OrderStatus.EXPIRED if self in _BY_TIME_IN_FORCE else OrderStatus.CANCELED


_BY_TIME_IN_FORCE = frozenset(
    {
        EndReason.IOC_REMAINDER,
        EndReason.FOK_NOT_FILLABLE,
        EndReason.SESSION_ENDED,
        EndReason.EXPIRES_AT_REACHED,
    }
)


@record(frozen=True, slots=True)
class Trigger:
    """A stop kind that the market triggered, whether or not it was filled as well."""

    order_id: UUID
    at: datetime


class Explanation(Protocol):
    """What a fill follows from; told only when somebody asks, as few ever do in a backtest."""

    def told(self) -> dict[str, object]: ...


@record(frozen=True, slots=True)
class Execution:
    """A fill to be recorded: quantity in the base asset, price and fee in the quote currency."""

    order_id: UUID
    side: Side
    quantity: Decimal
    price: Decimal
    fee: Decimal
    liquidity: Liquidity
    is_complete: bool
    executed_at: datetime
    model: str
    explanation: Explanation

    @property
    def source(self) -> dict[str, object]:
        """In JSON's terms, everything that `model` made it from."""
        return self.explanation.told()


@record(frozen=True, slots=True)
class Shrink:
    """An order whose group filled elsewhere has `by` less to fill, and is still to be had."""

    order_id: UUID
    by: Decimal


@record(frozen=True, slots=True)
class Expiration:
    """The end of what remains of an order, after the executions of the same bar."""

    order_id: UUID
    status: OrderStatus
    reason: EndReason

    @classmethod
    def of(cls, order_id: UUID, reason: EndReason) -> Expiration:
        return cls(order_id, reason.status, reason)


@record(frozen=True, slots=True)
class WaterMark:
    """Where the mark of a trailing stop that did not trigger has moved."""

    order_id: UUID
    price: Decimal


@record(frozen=True, slots=True)
class Deadline:
    """When a day order that lives on after its first bar ends."""

    order_id: UUID
    at: datetime


@record(frozen=True, slots=True)
class Activation:
    """A bracket's leg that starts, as if placed `at` that moment, when `price` was the last."""

    order_id: UUID
    at: datetime
    price: Decimal


class _OfOrder(Protocol):
    @property
    def order_id(self) -> UUID: ...


_Told = TypeVar("_Told", bound=_OfOrder)


@record(frozen=True, slots=True)
class Outcome:
    """What one bar did, to be applied in the order of the fields; or several bars in a row."""

    triggers: tuple[Trigger, ...] = ()
    executions: tuple[Execution, ...] = ()
    shrinks: tuple[Shrink, ...] = ()
    expirations: tuple[Expiration, ...] = ()
    water_marks: tuple[WaterMark, ...] = ()
    deadlines: tuple[Deadline, ...] = ()
    activations: tuple[Activation, ...] = ()

    @property
    def completed(self) -> frozenset[UUID]:
        """The orders that were filled completely."""
        return frozenset(fill.order_id for fill in self.executions if fill.is_complete)

    @property
    def ended(self) -> frozenset[UUID]:
        """The orders that ended without being complete."""
        return frozenset(end.order_id for end in self.expirations)

    @property
    def triggered(self) -> frozenset[UUID]:
        return frozenset(trigger.order_id for trigger in self.triggers)

    def then(self, later: Outcome) -> Outcome:
        """Both in one: what happened adds up, and of what stands only the newest is kept."""
        gone = later.completed | later.ended
        moved = {mark.order_id for mark in later.water_marks}
        return Outcome(
            self.triggers + later.triggers,
            self.executions + later.executions,
            self.shrinks + later.shrinks,
            self.expirations + later.expirations,
            _without(self.water_marks, gone | later.triggered | moved) + later.water_marks,
            _without(self.deadlines, gone) + later.deadlines,
            self.activations + later.activations,
        )


def _without(told: Iterable[_Told], gone: frozenset[UUID] | set[UUID]) -> tuple[_Told, ...]:
    return tuple(entry for entry in told if entry.order_id not in gone)
