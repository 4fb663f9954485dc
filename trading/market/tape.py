"""The tape of an instrument, read again: the bars and ticks that orders meet, one after the other.

What is on it was the next when a feed brought it, and says so in its row.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from datetime import datetime
from decimal import Decimal

from django.db.models import Q, QuerySet

from trading.market import queries, waiting
from trading.market.bars import Bar
from trading.market.models import Candle
from trading.market.models import Tick as StoredTick
from trading.market.places import Place
from trading.market.queries import Tip
from trading.market.ticks import Tick
from trading.market.waiting import Wait

_AT_A_TIME = 2_000


def since(symbol: str, start: datetime | None) -> Iterator[Bar | Tick]:
    """From a moment on, or all of it."""
    bars = Q() if start is None else Q(start__gte=start)
    ticks = Q() if start is None else Q(at__gte=start)
    candles, trades = _rows(symbol, bars, ticks)
    return _merged(candles.iterator(_AT_A_TIME), trades.iterator(_AT_A_TIME))


def after(symbol: str, place: Place | None) -> list[Bar | Tick]:
    """What comes after a place, or all of it."""
    rows = _rows(symbol, waiting.bars_after(place), waiting.ticks_after(place))
    return list(_merged(*rows))


def first(symbol: str, waits: list[Wait], up_to: Place) -> Bar | Tick | None:
    """The first that any of them waits for, up to a place; nothing else is read."""
    if not waits:
        return None
    # Where to begin is said apart, too: an index finds no beginning in alternatives.
    begun = waiting.earliest(waits)
    bars = waiting.bars_after(begun) & waiting.bars_up_to(up_to)
    ticks = waiting.ticks_after(begun) & waiting.ticks_up_to(up_to)
    bars &= waiting.any_of([wait.bars for wait in waits])
    ticks &= waiting.any_of([wait.ticks for wait in waits])
    candles, trades = _rows(symbol, bars, ticks)
    return next(_merged(candles[:1], trades[:1]), None)


def unmatched(symbol: str, tip: Tip) -> list[Bar | Tick]:
    """What not everybody has met yet, up to the end of the tape as it was found."""
    if tip.is_matched:
        return []
    found = after(symbol, tip.matched)
    return [printed for printed in found if not tip.place or not printed.place.is_after(tip.place)]


def prices(symbol: str, places: Iterable[Place]) -> dict[Place, Decimal]:
    """The last price as it was at places on the tape, as far as they are there."""
    asked = set(places)
    starts = [place.at for place in asked if place.trade_id is None]
    closes = queries.bars_on_tape(symbol).filter(start__in=starts)
    found = {Place(at): close for at, close in closes.values_list("start", "close")}
    moments = [place.at for place in asked if place.trade_id is not None]
    trades = queries.ticks_on_tape(symbol).filter(at__in=moments)
    for at, trade_id, price in trades.values_list("at", "trade_id", "price"):
        found[Place(at, trade_id)] = price
    return found


def _rows(symbol: str, bars: Q, ticks: Q) -> tuple[QuerySet[Candle], QuerySet[StoredTick]]:
    candles = queries.bars_on_tape(symbol).filter(bars).order_by("start", "timeframe")
    return candles, queries.ticks_on_tape(symbol).filter(ticks).order_by("at", "trade_id")


def _merged(candles: Iterable[Candle], trades: Iterable[StoredTick]) -> Iterator[Bar | Tick]:
    """In the order of their places."""
    return heapq.merge(
        map(queries.bar_of, candles),
        map(queries.tick_of, trades),
        key=lambda printed: printed.place.rank,
    )
