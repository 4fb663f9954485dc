"""What may be asked about the market; the same answers for every tenant."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db.models import OuterRef, QuerySet, Subquery

from trading.errors import UnknownInstrument
from trading.market.bars import Bar
from trading.market.models import Candle, Instrument

_BAR = ("symbol", "timeframe", "start", "open", "high", "low", "close", "volume")


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
    newest = Candle.objects.filter(symbol=OuterRef("symbol")).order_by("-start", "-timeframe")
    rows = Instrument.objects.filter(symbol__in=symbols).values_list(
        "symbol", Subquery(newest.values("close")[:1]), Subquery(newest.values("start")[:1])
    )
    found = {symbol: Quote(symbol, price, at) for symbol, price, at in rows}
    return {symbol: found.get(symbol, Quote(symbol, None, None)) for symbol in symbols}
