"""Bars from CSV files: `start,open,high,low,close,volume`, plain or gzipped, row by row."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path

from trading.market import csv_rows
from trading.market.bars import Bar, InvalidBar
from trading.market.csv_rows import BadRow
from trading.market.timeframes import duration

__all__ = ["HEADER", "BadRow", "Bar", "parse", "read"]

HEADER = ("start", "open", "high", "low", "close", "volume")


def read(path: Path, symbol: str, timeframe: str) -> Iterator[Bar]:
    """The bars of a `.csv` or `.csv.gz` file, one at a time.

    Raises UnknownTimeframe at once, and BadRow when the iteration comes to the row.
    """
    duration(timeframe)
    return _read(path, symbol, timeframe)


def _read(path: Path, symbol: str, timeframe: str) -> Iterator[Bar]:
    with csv_rows.opened(path) as lines:
        yield from parse(lines, symbol, timeframe)


def parse(lines: Iterable[str], symbol: str, timeframe: str) -> Iterator[Bar]:
    """The bars in lines of CSV, each later than the one before. Raises BadRow."""
    latest: datetime | None = None
    for number, cells in csv_rows.numbered(lines, HEADER):
        bar = _bar(number, cells, symbol, timeframe)
        if latest is not None and bar.start <= latest:
            raise BadRow(number, "start is not after the row before")
        latest = bar.start
        yield bar


def _bar(number: int, cells: list[str], symbol: str, timeframe: str) -> Bar:
    start = csv_rows.moment(number, "start", cells[0])
    named = zip(HEADER[1:], cells[1:], strict=True)
    amounts = [csv_rows.amount(number, name, cell) for name, cell in named]
    try:
        return Bar(symbol, timeframe, start, *amounts)
    except InvalidBar as fault:
        raise BadRow(number, str(fault)) from fault
