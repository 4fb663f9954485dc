"""What may be asked about the market; the same answers for every tenant."""

from __future__ import annotations

from collections.abc import Sequence
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


def _newest_where(condition: str) -> str:
    """The newest bar and the newest tick of instruments, of those rows.

    Planning takes as long as there are partitions, and so each is looked for once, not by column.
    """
    return f"""
SELECT i.symbol, i.matched_through, i.matched_trade,
       {", ".join(f"c.{name}" for name in _BAR)}, {", ".join(f"t.{name}" for name in _TICK)}
  FROM market_instrument i
  LEFT JOIN LATERAL (
       SELECT {", ".join(_BAR)} FROM market_candle WHERE symbol = i.symbol AND {condition}
        ORDER BY start DESC, timeframe DESC LIMIT 1) c ON true
  LEFT JOIN LATERAL (
       SELECT {", ".join(_TICK)} FROM market_tick WHERE symbol = i.symbol AND {condition}
          AND at >= coalesce(c.start, '-infinity')
        ORDER BY at DESC, trade_id DESC LIMIT 1) t ON true
 WHERE i.symbol = ANY (%s)
"""  # noqa: S608 - joined from the constants above and below


_NEWEST_ON_TAPE, _NEWEST_STORED = _newest_where("is_on_tape"), _newest_where("true")


@dataclass(frozen=True, slots=True)
class Gaps:
    """How many bars are due in a range, and which of them are missing, oldest first."""

    due: int
    missing: int
    gaps: list[Gap]


@dataclass(frozen=True, slots=True)
class Quote:
    """The newest price that orders know of an instrument, in its quote currency, and its place.

    None when there is none. Before anything was fed the price is that of the newest in store, which
    has no place.
    """

    symbol: str
    price: Decimal | None = None
    place: Place | None = None


@dataclass(frozen=True, slots=True)
class Tip:
    """The end of an instrument's tape, and how far everybody has met it; None for not at all."""

    newest: Bar | Tick | None = None
    matched: Place | None = None

    @property
    def place(self) -> Place | None:
        return None if self.newest is None else self.newest.place

    @property
    def is_matched(self) -> bool:
        if self.place is None:
            return True
        return self.matched is not None and not self.place.is_after(self.matched)


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


def bars_on_tape(symbol: str) -> QuerySet[Candle]:
    """Bars of any timeframe that orders meet; unordered."""
    return Candle.objects.filter(symbol=symbol, is_on_tape=True)


def ticks_on_tape(symbol: str) -> QuerySet[StoredTick]:
    """Trades that orders meet; unordered."""
    return StoredTick.objects.filter(symbol=symbol, is_on_tape=True)


def bar_of(candle: Candle) -> Bar:
    """A stored bar in the words of the pure middle."""
    return Bar(**{name: getattr(candle, name) for name in _BAR})


def tick_of(row: StoredTick) -> Tick:
    """A stored trade in the words of the pure middle."""
    return _tick([getattr(row, name) for name in _TICK])


def tip(symbol: str) -> Tip:
    """The end of the tape of an instrument."""
    return _tips(_NEWEST_ON_TAPE, [symbol]).get(symbol, Tip())


def newest(symbol: str) -> Bar | Tick | None:
    """What is newest on the tape, of bars that of any timeframe; None where there is nothing."""
    return tip(symbol).newest


def unmatched() -> list[str]:
    """Symbols whose tape goes on after what everybody has met, in their order."""
    symbols = list(Instrument.objects.order_by("symbol").values_list("symbol", flat=True))
    tips = _tips(_NEWEST_ON_TAPE, symbols)
    return [symbol for symbol in symbols if not tips[symbol].is_matched]


def quote(symbol: str) -> Quote:
    """The price of what is newest on the tape: of a bar its close."""
    return quotes([symbol])[symbol]


def quotes(symbols: list[str]) -> dict[str, Quote]:
    """The newest price of each symbol; every symbol asked for is in the answer."""
    found = {symbol: Quote(symbol) for symbol in symbols}
    for symbol, tip in _tips(_NEWEST_ON_TAPE, symbols).items():
        if tip.newest is not None:
            found[symbol] = Quote(symbol, tip.newest.close, tip.place)
    unfed = [symbol for symbol, quote in found.items() if quote.place is None]
    for symbol, tip in _tips(_NEWEST_STORED, unfed).items():
        if tip.newest is not None:
            found[symbol] = Quote(symbol, tip.newest.close)
    return found


def _tips(statement: str, symbols: list[str]) -> dict[str, Tip]:
    """Of each instrument that there is."""
    if not symbols:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(statement, [symbols])
        rows = cursor.fetchall()
    return {symbol: _tip(at, trade_id, values) for symbol, at, trade_id, *values in rows}


def _tip(at: datetime | None, trade_id: int | None, values: Sequence[Any]) -> Tip:
    """A tick counts where it came after the newest bar, which holds all before its end."""
    of_bar, of_tick = values[: len(_BAR)], values[len(_BAR) :]
    bar = None if of_bar[0] is None else Bar(*of_bar)
    tick = None if of_tick[0] is None else _tick(of_tick)
    is_later = tick is not None and (bar is None or tick.at >= bar.end)
    return Tip(tick if is_later else bar, None if at is None else Place(at, trade_id))


def _tick(values: Sequence[Any]) -> Tick:
    named = dict(zip(_TICK, values, strict=True))
    return Tick(**{**named, "side": Side(named["side"])})
