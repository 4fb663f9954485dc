"""The price now beside the one before, and what an instrument's last session came to.

For people and charts. Orders meet what is on the tape, and ask `queries`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from django.db.models import Count, Max, Min

from trading.market import calendars, queries, sessions
from trading.market.models import Candle, Tick
from trading.market.sessions import Session
from trading.market.timeframes import TIMEFRAMES, duration
from trading.values import exact

_DAY = timedelta(days=1)
# A close older than this is no previous close any more: trading has begun anew since.
_MEMORY = timedelta(days=31)


@dataclass(frozen=True, slots=True)
class LastPrice:
    """Prices in the quote currency; None where nothing is known."""

    symbol: str
    price: Decimal | None = None
    at: datetime | None = None
    previous_close: Decimal | None = None
    change: Decimal | None = None
    change_percent: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Series:
    """The candles that are stored of one timeframe."""

    timeframe: str
    bars: int
    first: datetime
    last: datetime

    @property
    def end(self) -> datetime:
        return self.last + duration(self.timeframe)


@dataclass(frozen=True, slots=True)
class Statistics:
    """`session` is None where there is no candle yet."""

    symbol: str
    session: Session | None
    series: list[Series]


def last(symbol: str) -> LastPrice:
    """The newest trade or close, and how far it is from the last close of the days before."""
    found = _newest(symbol)
    if found is None:
        return LastPrice(symbol)
    price, at = found
    day = at.replace(hour=0, minute=0, second=0, microsecond=0)
    previous = _close_before(symbol, day, tuple(TIMEFRAMES))
    if previous is None:
        return LastPrice(symbol, price, at)
    with exact():
        change = price - previous
    return LastPrice(symbol, price, at, previous, change, sessions.percent(price, previous))


def statistics(symbol: str) -> Statistics:
    """The last 24 hours that have candles, or of what has sessions the last one."""
    instrument = queries.instrument(symbol)
    series = _series(symbol)
    chosen = _furthest(series)
    if chosen is None:
        return Statistics(symbol, None, series)
    start = chosen.end - _DAY
    if calendars.has_days(instrument.asset_class):
        start = chosen.last.replace(hour=0, minute=0, second=0, microsecond=0)
    # A week's bar is longer than the window that it ends.
    start = min(start, chosen.last)
    candles = queries.candles(symbol, chosen.timeframe, start).order_by("start")
    before = _close_before(symbol, start, (chosen.timeframe,))
    bars = [queries.bar_of(candle) for candle in candles]
    return Statistics(symbol, sessions.summed_up(bars, before), series)


def _newest(symbol: str) -> tuple[Decimal, datetime] | None:
    """A trade counts where it came after the newest bar, which holds all before its end."""
    bar = queries.newest_bar(symbol)
    trades = Tick.objects.filter(symbol=symbol).order_by("-at", "-trade_id")
    trade = trades.first()
    if trade is not None and (bar is None or trade.at >= bar.end):
        return trade.price, trade.at
    return None if bar is None else (bar.close, bar.start)


def _close_before(symbol: str, moment: datetime, timeframes: tuple[str, ...]) -> Decimal | None:
    """The close of the bar that ended last, of those that had ended by the moment; the shortest
    where several ended at once."""
    newest = [
        Candle.objects.filter(
            symbol=symbol,
            timeframe=name,
            start__gte=moment - _MEMORY,
            start__lte=moment - duration(name),
        )
        .order_by("-start")
        .values_list("start", "timeframe", "close")[:1]
        for name in timeframes
    ]
    rows = list(newest[0].union(*newest[1:], all=True))
    if not rows:
        return None
    return max(rows, key=lambda row: (row[0] + duration(row[1]), row[0]))[2]


def _series(symbol: str) -> list[Series]:
    rows = (
        Candle.objects.filter(symbol=symbol)
        .values_list("timeframe")
        .annotate(bars=Count("start"), first=Min("start"), last=Max("start"))
        .order_by()
    )
    return sorted((Series(*row) for row in rows), key=lambda one: duration(one.timeframe))


def _furthest(series: list[Series]) -> Series | None:
    """The series that reaches furthest; of several the longest bars, for they hold the others."""
    days = [one for one in series if duration(one.timeframe) <= _DAY] or series
    return max(days, key=lambda one: (one.end, duration(one.timeframe)), default=None)
