"""What goes into matching and what comes out of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from trading.orders.costs import Costs
from trading.orders.states import OrderStatus
from trading.values import Increments, Liquidity, OrderType, Side, TimeInForce


class InvalidOrder(ValueError):
    """The order lacks what its type or its time in force needs."""

    code = "invalid_order"


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkingOrder:
    """An open order as the market meets it. `remaining` is in the base asset, prices in the quote.

    `sequence` is its place in time among the account's orders. `matched_through` is the start of
    the newest bar that it has met or that was known when it came: only later bars match it.
    `is_resting` says that it has met a bar. `spendable` is what a buy may still cost in the quote
    currency, fee included; None sets no bound. A day order without `expires_at` ends with the
    session of its bar.
    """

    id: UUID
    account: UUID
    symbol: str
    side: Side
    type: OrderType
    remaining: Decimal
    sequence: int
    limit_price: Decimal | None = None
    time_in_force: TimeInForce = TimeInForce.GTC
    expires_at: datetime | None = None
    post_only: bool = False
    matched_through: datetime | None = None
    is_resting: bool = False
    spendable: Decimal | None = None

    def __post_init__(self) -> None:
        if self.remaining <= 0:
            raise InvalidOrder("nothing remains to be filled")
        if self.type is OrderType.LIMIT and (self.limit_price is None or self.limit_price <= 0):
            raise InvalidOrder("a limit order needs a positive limit price")
        if self.post_only and self.type is not OrderType.LIMIT:
            raise InvalidOrder("only a limit order can be post-only")
        if self.time_in_force is TimeInForce.GTD and self.expires_at is None:
            raise InvalidOrder("a good-till-date order needs its date")


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """On what terms an account trades an instrument.

    `participation` is the share of a bar's volume that one account's orders may take, at most 1.
    With `touch`, a price that reaches the limit fills it; without, it must go through.
    """

    costs: Costs
    increments: Increments
    participation: Decimal = Decimal("0.1")
    touch: bool = False

    def __post_init__(self) -> None:
        if not 0 < self.participation <= 1:
            raise ValueError("participation must be above 0 and at most 1")


class EndReason(StrEnum):
    """Why what remained of an order was not left open."""

    IOC_REMAINDER = "ioc_remainder"
    FOK_NOT_FILLABLE = "fok_not_fillable"
    SESSION_ENDED = "session_ended"
    EXPIRES_AT_REACHED = "expires_at_reached"
    POST_ONLY_WOULD_TAKE = "post_only_would_take"
    FUNDS_SPENT = "funds_spent"


@dataclass(frozen=True, slots=True)
class Execution:
    """A fill to be recorded: quantity in the base asset, price and fee in the quote currency.

    `source` holds, in JSON's terms, everything that `model` made it from.
    """

    order_id: UUID
    side: Side
    quantity: Decimal
    price: Decimal
    fee: Decimal
    liquidity: Liquidity
    is_complete: bool
    executed_at: datetime
    model: str
    source: dict[str, object]


@dataclass(frozen=True, slots=True)
class Expiration:
    """The end of what remains of an order, after the executions of the same bar."""

    order_id: UUID
    status: OrderStatus
    reason: EndReason


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one bar did, each in the order in which it happened to the account."""

    executions: tuple[Execution, ...]
    expirations: tuple[Expiration, ...]
