"""Whether what a trader asks for makes sense in itself. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from trading.orders import exits
from trading.orders.instructions import Instruction
from trading.values import OrderType, Side, TimeInForce

_LIMITED = frozenset({OrderType.LIMIT, OrderType.STOP_LIMIT})
_STOPPED = frozenset({OrderType.STOP, OrderType.STOP_LIMIT})
_WHOLE = Decimal(100)  # percent


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
    yield from exits.faults(asked)


def _bracket(asked: Instruction) -> Iterator[str]:
    if asked.side is not Side.BUY:
        yield "A bracket's entry buys; to close a position, use order_class oco."
    if asked.reduce_only:
        yield "reduce_only does not go with take_profit and stop_loss."


def _oco(asked: Instruction) -> Iterator[str]:
    if asked.side is not Side.SELL or asked.type is not OrderType.LIMIT:
        yield "order_class oco is a limit order that sells, with a stop_loss beside it."
    if asked.stop_loss is None or asked.take_profit is not None:
        yield "order_class oco takes a stop_loss; its limit_price is the take-profit."
    if asked.post_only:
        yield "post_only does not go with order_class oco."
