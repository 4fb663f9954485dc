"""What a trader asks for, and whether it makes sense in itself. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from trading.values import OrderType, Side, TimeInForce

_LIMITED = frozenset({OrderType.LIMIT, OrderType.STOP_LIMIT})
_STOPPED = frozenset({OrderType.STOP, OrderType.STOP_LIMIT})
_WHOLE = Decimal(100)  # percent


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


def faults(asked: Instruction) -> list[str]:
    """What is wrong with it, in sentences; empty when nothing is."""
    return [*_size(asked), *_prices(asked), *_time(asked), *_legs(asked)]


def _size(asked: Instruction) -> Iterator[str]:
    if (asked.quantity is None) == (asked.notional is None):
        yield "Give either quantity or notional."
    if asked.notional is not None and asked.type in _STOPPED | {OrderType.TRAILING_STOP}:
        yield "notional goes with type market or limit; a stop takes a quantity."


def _prices(asked: Instruction) -> Iterator[str]:
    if (asked.type in _LIMITED) != (asked.limit_price is not None):
        yield "limit_price goes with type limit or stop_limit, and only there."
    if (asked.type in _STOPPED) != (asked.stop_price is not None):
        yield "stop_price goes with type stop or stop_limit, and only there."
    trails = [trail for trail in (asked.trail_amount, asked.trail_percent) if trail is not None]
    if len(trails) != (asked.type is OrderType.TRAILING_STOP):
        yield "Type trailing_stop takes either trail_amount or trail_percent; others neither."
    if asked.trail_percent is not None and asked.trail_percent >= _WHOLE:
        yield "trail_percent is less than 100."
    if asked.post_only and asked.type is not OrderType.LIMIT:
        yield "post_only goes with type limit."


def _time(asked: Instruction) -> Iterator[str]:
    if (asked.time_in_force is TimeInForce.GTD) != (asked.expires_at is not None):
        yield "expires_at goes with time_in_force gtd."
    at_once = asked.time_in_force in (TimeInForce.IOC, TimeInForce.FOK)
    if asked.post_only and at_once:
        yield "post_only waits in the book; ioc and fok do not."
    if asked.is_oco and at_once:
        yield "An OCO waits for one of its prices; ioc and fok do not."


def _legs(asked: Instruction) -> Iterator[str]:
    if asked.is_oco:
        yield from _oco(asked)
    elif asked.has_legs:
        yield from _bracket(asked)


def _bracket(asked: Instruction) -> Iterator[str]:
    if asked.side is not Side.BUY:
        yield "A bracket's entry buys; to close a position, use order_class oco."
    if asked.reduce_only:
        yield "reduce_only does not go with take_profit and stop_loss."
    yield from _apart(asked.take_profit, asked.stop_loss)


def _oco(asked: Instruction) -> Iterator[str]:
    if asked.side is not Side.SELL or asked.type is not OrderType.LIMIT:
        yield "order_class oco is a limit order that sells, with a stop_loss beside it."
    if asked.stop_loss is None or asked.take_profit is not None:
        yield "order_class oco takes a stop_loss; its limit_price is the take-profit."
    if asked.post_only:
        yield "post_only does not go with order_class oco."
    yield from _apart(asked.limit_price, asked.stop_loss)


def _apart(take_profit: Decimal | None, stop_loss: StopLoss | None) -> Iterator[str]:
    """Legs that sell: the stop lies below the profit."""
    if take_profit is None or stop_loss is None:
        return
    if stop_loss.stop_price >= take_profit:
        yield "stop_loss.stop_price lies below the take-profit."
