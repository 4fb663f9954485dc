"""The tape of an instrument, read again: the bars and ticks that orders met, one after the other.

What is on it was the newest when it came, and says so in its row.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from datetime import datetime
from decimal import Decimal

from trading.market import queries
from trading.market.bars import Bar
from trading.market.places import Place
from trading.market.ticks import Tick

_AT_A_TIME = 2_000


def since(symbol: str, timeframe: str | None, start: datetime | None) -> Iterator[Bar | Tick]:
    """From a moment on, or all of it; of bars those of one timeframe, or none."""
    return heapq.merge(
        _bars(symbol, timeframe, start),
        _ticks(symbol, start),
        key=lambda printed: printed.place.rank,
    )


def timeframe(symbol: str, start: datetime | None) -> str | None:
    """That of the newest bar since a moment; None where there is none."""
    bars = queries.bars_on_tape(symbol, start).order_by("-start", "-timeframe")
    return bars.values_list("timeframe", flat=True).first()


def prices(symbol: str, timeframe: str | None, places: Iterable[Place]) -> dict[Place, Decimal]:
    """The last price as it was at places on the tape, as far as they are there."""
    asked = set(places)
    starts = [place.at for place in asked if place.trade_id is None]
    closes = queries.bars_on_tape(symbol).filter(timeframe=timeframe, start__in=starts)
    found = {Place(at): close for at, close in closes.values_list("start", "close")}
    moments = [place.at for place in asked if place.trade_id is not None]
    trades = queries.ticks_on_tape(symbol).filter(at__in=moments)
    for at, trade_id, price in trades.values_list("at", "trade_id", "price"):
        found[Place(at, trade_id)] = price
    return found


def _bars(symbol: str, timeframe: str | None, start: datetime | None) -> Iterator[Bar]:
    rows = queries.bars_on_tape(symbol, start).filter(timeframe=timeframe).order_by("start")
    yield from map(queries.bar_of, rows.iterator(_AT_A_TIME))


def _ticks(symbol: str, start: datetime | None) -> Iterator[Tick]:
    rows = queries.ticks_on_tape(symbol, start).order_by("at", "trade_id")
    yield from map(queries.tick_of, rows.iterator(_AT_A_TIME))
