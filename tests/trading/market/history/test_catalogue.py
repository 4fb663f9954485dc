"""The bundled history is whole, on its increments, and what it says it is."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path

import pytest

from trading.market.history import catalogue
from trading.market.history.catalogue import BUNDLED
from trading.values import exact

FOLDER = Path(catalogue.__file__).parent
SERIES = [(entry, timeframe) for entry in BUNDLED for timeframe in entry.files]
EXPECTED = {
    ("AAPL", "1d"): (3270, "2000-03-01", "2013-03-01"),
    ("FB", "1d"): (196, "2012-05-18", "2013-03-01"),
    ("GOOG", "1d"): (2148, "2004-08-19", "2013-03-01"),
    ("IBM", "1d"): (3270, "2000-03-01", "2013-03-01"),
    ("MSFT", "1d"): (3270, "2000-03-01", "2013-03-01"),
    ("IXIC", "1d"): (5031, "1999-01-04", "2018-12-31"),
    ("SPX", "1d"): (5031, "1999-01-04", "2018-12-31"),
    ("EUR/USD", "1h"): (6225, "2017-01-01", "2017-12-29"),
    ("BTC/USD", "1h"): (20110, "2017-07-01", "2019-10-17"),
    ("BTC/USD", "1d"): (837, "2017-07-02", "2019-10-16"),
}


@pytest.mark.parametrize(
    ("entry", "timeframe"), SERIES, ids=lambda part: getattr(part, "symbol", part)
)
def test_a_series_has_its_bars_on_the_price_increment(
    entry: catalogue.BundledInstrument, timeframe: str
) -> None:
    bars = list(catalogue.bars(entry, timeframe))
    ends = (f"{bars[0].start:%Y-%m-%d}", f"{bars[-1].start:%Y-%m-%d}")
    assert (len(bars), *ends) == EXPECTED[entry.symbol, timeframe]
    with exact():
        off = [
            b for b in bars for p in (b.open, b.high, b.low, b.close) if p % entry.price_increment
        ]
    assert not off


def test_the_days_of_bitcoin_are_made_of_its_hours() -> None:
    bitcoin = catalogue.find("BTC/USD")
    assert bitcoin is not None
    dates = groupby(catalogue.bars(bitcoin, "1h"), key=lambda bar: bar.start.date())
    hours = {date: list(bars) for date, bars in dates}
    for day in catalogue.bars(bitcoin, "1d"):
        parts = hours[day.start.date()]
        assert len(parts) == 24
        assert (day.open, day.close) == (parts[0].open, parts[-1].close)
        assert (day.high, day.low) == (max(b.high for b in parts), min(b.low for b in parts))
        assert day.volume == sum(b.volume for b in parts)


def test_every_file_is_listed_and_named_in_the_readme() -> None:
    listed = {path.name for entry in BUNDLED for path in entry.files.values()}
    assert listed == {path.name for path in FOLDER.glob("*.csv.gz")}
    readme = (FOLDER / "README.md").read_text()
    assert not [name for name in listed if name not in readme]


def test_the_bundle_stays_small() -> None:
    assert sum(path.stat().st_size for path in FOLDER.glob("*.csv.gz")) < 6_000_000


def test_an_instrument_is_found_by_its_symbol() -> None:
    assert len({entry.symbol for entry in BUNDLED}) == len(BUNDLED)
    assert catalogue.find("GOOG") in BUNDLED
    assert catalogue.find("NONE") is None
