"""What may be asked about the market; the same answers for every tenant."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import connection
from django.db.models import QuerySet

from trading.market import calendars
from trading.market.bars import Bar
from trading.market.calendars import Gap
from trading.market.errors import CalendarUnknown, RangeTooWide, UnknownInstrument
from trading.market.models import Candle, Instrument
from trading.market.models import Tick as StoredTick
from trading.market.places import Place
from trading.market.ticks import Tick
from trading.market.timeframes import duration
from trading.values import Side

MOST_BARS_AT_ONCE = 20_000
_BAR = ("symbol", "timeframe", "start", "open", "high", "low", "close", "volume")
_TICK = ("symbol", "at", "price", "quantity", "side", "trade_id", "is_buyer_maker")
# Planning takes as long as there are partitions, and so each is looked for once, not by column.
# Whether a bar is on the tape needs no look: one that is not has a tick at its start or later.
_NEWEST = f"""
SELECT {", ".join(f"c.{name}" for name in _BAR)}, {", ".join(f"t.{name}" for name in _TICK)}
  FROM market_instrument i
  LEFT JOIN LATERAL (
       SELECT {", ".join(_BAR)} FROM market_candle WHERE symbol = i.symbol
        ORDER BY start DESC, timeframe DESC LIMIT 1) c ON true
  LEFT JOIN LATERAL (
       SELECT {", ".join(_TICK)} FROM market_tick WHERE symbol = i.symbol AND is_on_tape
          AND at >= coalesce(c.start, '-infinity')
        ORDER BY at DESC, trade_id DESC LIMIT 1) t ON true
 WHERE i.symbol = ANY (%s)
"""  # noqa: S608 - joined from the constants above


@dataclass(frozen=True, slots=True)
class Gaps:
    """How many bars are due in a range, and which of them are missing, oldest first."""

    due: int
    missing: int
    gaps: list[Gap]


@dataclass(frozen=True, slots=True)
class Quote:
    """The newest price that orders know of an instrument, in its quote currency, and its place.

    None when there is none.
    """

    symbol: str
    price: Decimal | None = None
    place: Place | None = None


def symbol_of(text: str) -> str:
    """A symbol as written in a path: `BTC-USD` stands for `BTC/USD`."""
    return text.upper().replace("-", "/")


def instrument(symbol: str) -> Instrument:
    """One instrument. Raises UnknownInstrument."""
    found = Instrument.objects.filter(symbol=symbol_of(symbol)).first()
    if found is None:
        raise UnknownInstrument
    return found


def candles(
    symbol: str,
    timeframe: str,
    start: datetime | None = None,
    end: datetime | None = None,
) -> QuerySet[Candle]:
    """Bars with `start <= bar.start < end`; unordered, for the caller to page."""
    rows = Candle.objects.filter(symbol=symbol, timeframe=timeframe)
    if start is not None:
        rows = rows.filter(start__gte=start)
    if end is not None:
        rows = rows.filter(start__lt=end)
    return rows


def gaps(symbol: str, timeframe: str, start: datetime, end: datetime, *, now: datetime) -> Gaps:
    """Bars with `start <= bar.start < end` that are over by now and not stored.

    Of what closes, days only: the hours of a session are nobody's to guess. Raises RangeTooWide,
    CalendarUnknown, UnknownInstrument and UnknownTimeframe.
    """
    if (end - start) / duration(timeframe) > MOST_BARS_AT_ONCE:
        raise RangeTooWide(f"Ask for no more than {MOST_BARS_AT_ONCE} bars.")
    found = instrument(symbol)
    newest = now - duration(timeframe)
    due = [moment for moment in _due(found, timeframe, start, end) if moment <= newest]
    rows = candles(found.symbol, timeframe, start, end)
    there = set(rows.values_list("start", flat=True))
    missing = calendars.gaps(due, there)
    return Gaps(len(due), sum(gap.bars for gap in missing), missing)


def _due(found: Instrument, timeframe: str, start: datetime, end: datetime) -> list[datetime]:
    calendar = calendars.of(found.asset_class)
    if calendar == calendars.ALWAYS:
        series = Candle.objects.filter(symbol=found.symbol, timeframe=timeframe)
        anchor = series.values_list("start", flat=True).order_by("-start").first()
        return list(calendars.steps(duration(timeframe), start, end, anchor))
    if calendar is None or timeframe != "1d":
        raise CalendarUnknown(f"Not for {timeframe} of {found.asset_class}.")
    if start.date() < calendars.FIRST or end.date() > calendars.LAST:
        raise CalendarUnknown(f"Sessions are known from {calendars.FIRST} to {calendars.LAST}.")
    return calendars.sessions(calendar, start, end)


def ticks(
    symbol: str, start: datetime | None = None, end: datetime | None = None
) -> QuerySet[StoredTick]:
    """Trades with `start <= tick.at < end`; unordered, for the caller to page."""
    rows = StoredTick.objects.filter(symbol=symbol)
    if start is not None:
        rows = rows.filter(at__gte=start)
    if end is not None:
        rows = rows.filter(at__lt=end)
    return rows


def newest_bar(symbol: str) -> Bar | None:
    """The newest bar of any timeframe; None where there is none."""
    rows = Candle.objects.filter(symbol=symbol).order_by("-start", "-timeframe")
    found = rows.first()
    return None if found is None else bar_of(found)


def bars_on_tape(symbol: str, start: datetime | None = None) -> QuerySet[Candle]:
    """Bars of any timeframe that orders met, from a moment on; unordered."""
    rows = Candle.objects.filter(symbol=symbol, is_on_tape=True)
    return rows if start is None else rows.filter(start__gte=start)


def ticks_on_tape(symbol: str, start: datetime | None = None) -> QuerySet[StoredTick]:
    """Trades that orders met, from a moment on; unordered."""
    return ticks(symbol, start).filter(is_on_tape=True)


def bar_of(candle: Candle) -> Bar:
    """A stored bar in the words of the pure middle."""
    return Bar(**{name: getattr(candle, name) for name in _BAR})


def tick_of(row: StoredTick) -> Tick:
    """A stored trade in the words of the pure middle."""
    return _tick([getattr(row, name) for name in _TICK])


def newest(symbol: str) -> Bar | Tick | None:
    """What is newest on the tape, of bars that of any timeframe; None where there is nothing."""
    return next(_newest([symbol]), None)


def quote(symbol: str) -> Quote:
    """The price of what is newest on the tape: of a bar its close."""
    return quotes([symbol])[symbol]


def quotes(symbols: list[str]) -> dict[str, Quote]:
    """The newest price of each symbol; every symbol asked for is in the answer."""
    found = {p.symbol: Quote(p.symbol, p.close, p.place) for p in _newest(symbols)}
    return {symbol: found.get(symbol, Quote(symbol)) for symbol in symbols}


def _newest(symbols: list[str]) -> Iterator[Bar | Tick]:
    """Of each symbol that has anything."""
    with connection.cursor() as cursor:
        cursor.execute(_NEWEST, [symbols])
        rows = cursor.fetchall()
    for row in rows:
        bar, tick = row[: len(_BAR)], row[len(_BAR) :]
        if tick[0] is not None:
            yield _tick(tick)
        elif bar[0] is not None:
            yield Bar(*bar)


def _tick(values: Sequence[Any]) -> Tick:
    named = dict(zip(_TICK, values, strict=True))
    return Tick(**{**named, "side": Side(named["side"])})
