"""What may be asked about the market; the same answers for every tenant."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db import connection
from django.db.models import QuerySet

from trading.errors import UnknownInstrument
from trading.market import calendars
from trading.market.bars import Bar
from trading.market.calendars import Gap
from trading.market.errors import CalendarUnknown, RangeTooWide
from trading.market.models import Candle, Instrument, Tick
from trading.market.timeframes import duration

MOST_BARS_AT_ONCE = 20_000
# Planning takes as long as there are partitions, and so each is looked for once, not by column.
_NEWEST = """
SELECT i.symbol, c.close, c.start
  FROM market_instrument i CROSS JOIN LATERAL (
       SELECT close, start FROM market_candle WHERE symbol = i.symbol
        ORDER BY start DESC, timeframe DESC LIMIT 1) c
 WHERE i.symbol = ANY (%s)
"""
_BAR = ("symbol", "timeframe", "start", "open", "high", "low", "close", "volume")


@dataclass(frozen=True, slots=True)
class Gaps:
    """How many bars are due in a range, and which of them are missing, oldest first."""

    due: int
    missing: int
    gaps: list[Gap]


@dataclass(frozen=True, slots=True)
class Quote:
    """The newest known price of an instrument, in its quote currency; None when there is none."""

    symbol: str
    price: Decimal | None
    at: datetime | None


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
) -> QuerySet[Tick]:
    """Trades with `start <= tick.at < end`; unordered, for the caller to page."""
    rows = Tick.objects.filter(symbol=symbol)
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


def bar_of(candle: Candle) -> Bar:
    """A stored bar in the words of the pure middle."""
    return Bar(**{name: getattr(candle, name) for name in _BAR})


def quote(symbol: str) -> Quote:
    """The close of the newest bar of any timeframe."""
    return quotes([symbol])[symbol]


def quotes(symbols: list[str]) -> dict[str, Quote]:
    """The newest price of each symbol; every symbol asked for is in the answer."""
    with connection.cursor() as cursor:
        cursor.execute(_NEWEST, [symbols])
        found = {symbol: Quote(symbol, price, at) for symbol, price, at in cursor.fetchall()}
    return {symbol: found.get(symbol, Quote(symbol, None, None)) for symbol in symbols}
