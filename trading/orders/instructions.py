"""What a trader asks for. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from trading.values import OrderType, Side, TimeInForce


@dataclass(frozen=True, slots=True, kw_only=True)
class StopLoss:
    """The leg that limits a loss: a stop, or with a limit price a stop-limit."""

    stop_price: Decimal
    limit_price: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Instruction:
    """An order as asked for; exactly one of `quantity` (base) and `notional` (quote).

    With `take_profit` (a limit price) or `stop_loss` a buy is the entry of a bracket, whose legs
    begin when it is completely filled. With `is_oco` a limit sell is itself the take-profit, and
    its stop-loss stands beside it: what one fills, the other loses.
    """

    account_id: UUID
    instrument: str
    side: Side
    type: OrderType
    time_in_force: TimeInForce
    quantity: Decimal | None = None
    notional: Decimal | None = None
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    trail_amount: Decimal | None = None
    trail_percent: Decimal | None = None
    expires_at: datetime | None = None
    post_only: bool = False
    reduce_only: bool = False
    client_order_id: str = ""
    take_profit: Decimal | None = None
    stop_loss: StopLoss | None = None
    is_oco: bool = False

    @property
    def has_legs(self) -> bool:
        return self.take_profit is not None or self.stop_loss is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What is to be different in the order that replaces another; None leaves it as it was."""

    quantity: Decimal | None = None
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    trail_amount: Decimal | None = None
    trail_percent: Decimal | None = None
    time_in_force: TimeInForce | None = None
    expires_at: datetime | None = None
    client_order_id: str = ""
