"""What an exchange says, in the words of the trade and in exact numbers. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from trading.values import OrderType, Side

_ENDED = frozenset({"closed", "canceled", "expired", "rejected"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """An order as an exchange is told it; `client_id` is its name there until it has another."""

    order_id: UUID
    client_id: str
    symbol: str
    side: Side
    type: OrderType
    quantity: Decimal
    limit_price: Decimal | None
    stop_price: Decimal | None
    time_in_force: str
    post_only: bool
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class VenueOrder:
    """An order as the exchange has it; `status` in ccxt's words."""

    id: str
    client_id: str
    symbol: str
    status: str
    filled: Decimal

    @property
    def is_ended(self) -> bool:
        return self.status in _ENDED


@dataclass(frozen=True, slots=True, kw_only=True)
class VenueTrade:
    """One execution: quantity in the base asset, price in the quote, and what its fee was paid in.

    `is_maker` is None where the exchange does not say.
    """

    id: str
    order_id: str
    symbol: str
    side: Side
    quantity: Decimal
    price: Decimal
    fee: Decimal
    fee_currency: str
    is_maker: bool | None
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """An account as its exchange shows it.

    `orders` are all that are open, and those that were asked for by name; `missing` were asked for
    and are not known there. `totals` are None where trades came in while they were asked for, and
    where `trades` go only as far as `trades_until`.
    """

    orders: tuple[VenueOrder, ...] = ()
    missing: frozenset[UUID] = frozenset()
    trades: tuple[VenueTrade, ...] = ()
    trades_until: datetime | None = None
    totals: dict[str, Decimal] | None = field(default=None)


def client_id(order_id: UUID) -> str:
    """An order's name at its exchange: 32 characters, which all of them take."""
    return order_id.hex
