"""Fetches what is missing from the exchange that the settings name, and stores it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from trading.market import actions, queries
from trading.market.calendars import Gap
from trading.market.errors import UnknownInstrument
from trading.market.public import PAGE, Client
from trading.market.timeframes import duration


@dataclass(frozen=True, slots=True)
class Fetched:
    """How many candles and ticks are new."""

    candles: int
    ticks: int


def fetch(
    symbol: str,
    timeframe: str,
    *,
    client: Client,
    now: datetime,
    since: datetime | None = None,
    trades: bool = False,
) -> Fetched:
    """Store the bars that are missing since a moment, page by page; what is there stays.

    Without `since`, from the newest candle on, or as many bars as one page holds. An instrument
    that is not known yet is listed as the exchange describes it. What is stored when the exchange
    goes away is kept: the next run goes on from there. Raises what the client raises.
    """
    symbol = _listed(symbol, client)
    since = since or _newest(symbol, timeframe) or now - PAGE * duration(timeframe)
    candles = 0
    for gap in _gaps(symbol, timeframe, since, now):
        pages = client.bars(symbol, timeframe, since=gap.first, until=gap.last, now=now)
        candles += sum(actions.load(page).stored for page in pages)
    ticks = 0
    if trades:
        ticks = sum(
            actions.load_ticks(page) for page in client.trades(symbol, since=since, now=now)
        )
    book = client.book(symbol)
    actions.note_book(symbol, bid=book.bid, ask=book.ask)
    return Fetched(candles, ticks)


def _listed(symbol: str, client: Client) -> str:
    try:
        return queries.instrument(symbol).symbol
    except UnknownInstrument:
        instrument = client.instrument(queries.symbol_of(symbol))
        actions.ensure_instrument(instrument)
        return instrument.symbol


def _newest(symbol: str, timeframe: str) -> datetime | None:
    starts = queries.candles(symbol, timeframe).order_by("-start")
    return starts.values_list("start", flat=True).first()


def _gaps(symbol: str, timeframe: str, since: datetime, now: datetime) -> Iterator[Gap]:
    """What is missing until now, looked for in as many stretches as it takes."""
    stretch = queries.MOST_BARS_AT_ONCE * duration(timeframe)
    while since < now:
        until = min(since + stretch, now)
        yield from queries.gaps(symbol, timeframe, since, until, now=now).gaps
        since = until
