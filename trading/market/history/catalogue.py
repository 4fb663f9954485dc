"""The bundled instruments: what they are, how finely they trade, where their bars are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from trading.market import csv_bars
from trading.market.bars import Bar

_HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True, kw_only=True)
class BundledInstrument:
    """Price increments are in `quote`, quantities in `base`; `files` are by timeframe."""

    symbol: str
    name: str
    asset_class: str
    base: str
    quote: str
    price_increment: Decimal
    quantity_increment: Decimal
    min_quantity: Decimal
    tradable: bool
    files: Mapping[str, Path]


def find(symbol: str) -> BundledInstrument | None:
    """The bundled instrument of this symbol, if there is one."""
    return next((entry for entry in BUNDLED if entry.symbol == symbol), None)


def bars(entry: BundledInstrument, timeframe: str) -> Iterator[Bar]:
    """The bundled bars of an instrument, oldest first. Raises KeyError for another timeframe."""
    return csv_bars.read(entry.files[timeframe], entry.symbol, timeframe)


def _files(symbol: str, *timeframes: str) -> dict[str, Path]:
    stem = symbol.replace("/", "-")
    return {timeframe: _HERE / f"{stem}-{timeframe}.csv.gz" for timeframe in timeframes}


def _stock(symbol: str, name: str) -> BundledInstrument:
    """Whole shares at whole cents, as these traded in the years of their history."""
    return BundledInstrument(
        symbol=symbol,
        name=name,
        asset_class="stock",
        base=symbol,
        quote="USD",
        price_increment=Decimal("0.01"),
        quantity_increment=Decimal(1),
        min_quantity=Decimal(1),
        tradable=True,
        files=_files(symbol, "1d"),
    )


def _index(symbol: str, name: str) -> BundledInstrument:
    """An index is a number: it is charted and compared against, not bought."""
    return BundledInstrument(
        symbol=symbol,
        name=name,
        asset_class="index",
        base=symbol,
        quote="USD",
        price_increment=Decimal("0.01"),
        quantity_increment=Decimal(1),
        min_quantity=Decimal(1),
        tradable=False,
        files=_files(symbol, "1d"),
    )


BUNDLED = (
    _stock("AAPL", "Apple"),
    _stock("FB", "Facebook"),
    _stock("GOOG", "Google"),
    _stock("IBM", "IBM"),
    _stock("MSFT", "Microsoft"),
    _index("IXIC", "NASDAQ Composite"),
    _index("SPX", "S&P 500"),
    BundledInstrument(
        symbol="EUR/USD",
        name="Euro / US dollar",
        asset_class="forex",
        base="EUR",
        quote="USD",
        price_increment=Decimal("0.00001"),
        quantity_increment=Decimal("0.01"),
        min_quantity=Decimal(1),
        tradable=True,
        files=_files("EUR/USD", "1h"),
    ),
    BundledInstrument(
        symbol="BTC/USD",
        name="Bitcoin / US dollar",
        asset_class="crypto",
        base="BTC",
        quote="USD",
        price_increment=Decimal("0.01"),
        quantity_increment=Decimal("0.00000001"),
        min_quantity=Decimal("0.00001"),
        tradable=True,
        files=_files("BTC/USD", "1h", "1d"),
    ),
)
