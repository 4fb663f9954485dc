"""Orders, bars and outcomes in a few words, for tables that are worked out by hand."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

from tests.trading.examples import MORNING, a_bar, an_order
from trading.market.bars import Bar
from trading.market.ticks import Tick
from trading.orders.working import Outcome, WorkingOrder
from trading.values import OrderType, Side, plain

_NAMES = {
    "limit": "limit_price",
    "stop": "stop_price",
    "trail": "trail_amount",
    "mark": "water_mark",
}
_NUMBERS = {"spendable", "reducible", "remaining", "trail_percent", *_NAMES.values()}


def buy(number: int = 1, **words: Any) -> WorkingOrder:
    """Ten GOOG; `limit`, `stop`, `trail` and `trail_percent` make the order's type."""
    return _order(number, Side.BUY, words)


def sell(number: int = 1, **words: Any) -> WorkingOrder:
    return _order(number, Side.SELL, words)


def bars(*lines: str, timeframe: str = "1h", minutes: int = 60) -> list[Bar]:
    """Bars that follow one another: open, high, low, close and, where it is known, the volume."""
    return [_bar(line, place * minutes, timeframe) for place, line in enumerate(lines)]


def tick(number: int, price: str, quantity: str = "1000", *, seconds: int = 0) -> Tick:
    """A trade in the first minutes of the morning."""
    at = MORNING + timedelta(seconds=seconds)
    return Tick("GOOG", at, Decimal(price), Decimal(quantity), Side.BUY, number, False)


def told(outcome: Outcome) -> list[str]:
    """The outcome in lines: triggers, fills, shrinks, ends, marks, deadlines, starts."""
    fills = [
        f"{fill.order_id.int} fill {plain(fill.quantity)} @ {plain(fill.price)} "
        f"{fill.liquidity.value} fee {plain(fill.fee)}"
        for fill in outcome.executions
    ]
    ends = [f"{end.order_id.int} {end.status} {end.reason}" for end in outcome.expirations]
    return [
        *(f"{trigger.order_id.int} triggered" for trigger in outcome.triggers),
        *fills,
        *(f"{shrink.order_id.int} shrinks by {plain(shrink.by)}" for shrink in outcome.shrinks),
        *ends,
        *(f"{mark.order_id.int} mark {plain(mark.price)}" for mark in outcome.water_marks),
        *(f"{end.order_id.int} until {end.at:%d %H:%M}" for end in outcome.deadlines),
        *(f"{start.order_id.int} starts" for start in outcome.activations),
    ]


def _order(number: int, side: Side, words: dict[str, Any]) -> WorkingOrder:
    named = {_NAMES.get(word, word): value for word, value in words.items()}
    numbers = {name: Decimal(named[name]) for name in _NUMBERS & named.keys()}
    return an_order(number, side=side, **{"type": _type(words), **named, **numbers})


def _type(words: dict[str, Any]) -> OrderType:
    if "trail" in words or "trail_percent" in words:
        return OrderType.TRAILING_STOP
    if "stop" in words:
        return OrderType.STOP_LIMIT if "limit" in words else OrderType.STOP
    return OrderType.LIMIT if "limit" in words else OrderType.MARKET


def _bar(line: str, minutes: int, timeframe: str) -> Bar:
    *prices, volume = [*line.split(), "0"][:5]
    start = MORNING + timedelta(minutes=minutes)
    return a_bar(" ".join(prices), volume=volume, start=start, timeframe=timeframe)
