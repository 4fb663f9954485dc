"""The bundled history: its opening is loaded at once, the rest arrives with the market replay."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from trading.market import actions, csv_bars
from trading.market.bars import Bar
from trading.market.history.catalogue import BUNDLED, BundledInstrument
from trading.market.models import Candle, Instrument

# Bars of each series that are held back for the replay; the rest is history from the start.
HELD_BACK = {"1h": 2_000, "1d": 250}


def load_opening() -> int:
    """Store instruments and their history up to where the replay begins; gives the candles stored.

    What has been replayed since stays: a second run changes nothing.
    """
    return sum(_load_instrument(entry) for entry in BUNDLED)


def symbols() -> list[str]:
    """What the bundle holds."""
    return [entry.symbol for entry in BUNDLED]


def upcoming() -> Iterator[list[Bar]]:
    """The market's next moments: in each, the next bar of every instrument that has one.

    The series are from different years, so each goes on from where it stands. Only the finest
    series of an instrument is replayed, so that no price arrives twice.
    """
    for moment in itertools.zip_longest(*(_remaining(entry) for entry in BUNDLED)):
        yield [bar for bar in moment if bar is not None]


def _load_instrument(entry: BundledInstrument) -> int:
    actions.ensure_instrument(
        Instrument(
            symbol=entry.symbol,
            name=entry.name,
            asset_class=entry.asset_class,
            base=entry.base,
            quote=entry.quote,
            price_increment=entry.price_increment,
            quantity_increment=entry.quantity_increment,
            min_quantity=entry.min_quantity,
            tradable=entry.tradable,
        )
    )
    return sum(_load_series(entry.symbol, timeframe, entry) for timeframe in entry.files)


def _load_series(symbol: str, timeframe: str, entry: BundledInstrument) -> int:
    if Candle.objects.filter(symbol=symbol, timeframe=timeframe).exists():
        return 0
    bars = list(csv_bars.read(entry.files[timeframe], symbol, timeframe))
    return actions.load(bars[: -HELD_BACK[timeframe]]).stored


def _remaining(entry: BundledInstrument) -> Iterator[Bar]:
    timeframe = "1h" if "1h" in entry.files else "1d"
    newest = (
        Candle.objects.filter(symbol=entry.symbol, timeframe=timeframe)
        .order_by("-start")
        .values_list("start", flat=True)
        .first()
    )
    bars = csv_bars.read(entry.files[timeframe], entry.symbol, timeframe)
    return itertools.dropwhile(lambda bar: newest is not None and bar.start <= newest, bars)
