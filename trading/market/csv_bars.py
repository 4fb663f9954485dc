"""Bars from CSV files: `start,open,high,low,close,volume`, plain or gzipped, row by row."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TextIO

from trading.market.bars import Bar, InvalidBar
from trading.market.timeframes import duration

__all__ = ["HEADER", "BadRow", "Bar", "parse", "read"]

HEADER = ("start", "open", "high", "low", "close", "volume")


class BadRow(ValueError):
    """A row that is no bar: `row` counts from 1, the header included; `reason` says why."""

    code = "bad_row"

    def __init__(self, row: int, reason: str) -> None:
        super().__init__(f"row {row}: {reason}")
        self.row = row
        self.reason = reason


def read(path: Path, symbol: str, timeframe: str) -> Iterator[Bar]:
    """The bars of a `.csv` or `.csv.gz` file, one at a time.

    Raises UnknownTimeframe at once, and BadRow when the iteration comes to the row.
    """
    duration(timeframe)
    return _read(path, symbol, timeframe)


def _read(path: Path, symbol: str, timeframe: str) -> Iterator[Bar]:
    with _opened(path) as lines:
        yield from parse(lines, symbol, timeframe)


def parse(lines: Iterable[str], symbol: str, timeframe: str) -> Iterator[Bar]:
    """The bars in lines of CSV, each later than the one before. Raises BadRow."""
    rows = enumerate(_rows(lines), start=1)
    _check_header(next(rows, (1, []))[1])
    latest: datetime | None = None
    for number, cells in rows:
        if not cells:
            continue
        bar = _bar(number, cells, symbol, timeframe)
        if latest is not None and bar.start <= latest:
            raise BadRow(number, "start is not after the row before")
        latest = bar.start
        yield bar


def _opened(path: Path) -> TextIO:
    # Spreadsheets write a byte-order mark, which utf-8-sig drops.
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8-sig", newline="")
    return path.open(encoding="utf-8-sig", newline="")


def _rows(lines: Iterable[str]) -> Iterator[list[str]]:
    reader = csv.reader(lines)
    try:
        yield from reader
    except (csv.Error, UnicodeDecodeError) as fault:
        raise BadRow(reader.line_num + 1, "is not CSV in UTF-8") from fault


def _check_header(cells: list[str]) -> None:
    if tuple(cell.strip().lower() for cell in cells) != HEADER:
        raise BadRow(1, f"the header is not {','.join(HEADER)}")


def _bar(number: int, cells: list[str], symbol: str, timeframe: str) -> Bar:
    if len(cells) != len(HEADER):
        raise BadRow(number, f"has {len(cells)} cells, not {len(HEADER)}")
    start = _moment(number, cells[0].strip())
    named = zip(HEADER[1:], cells[1:], strict=True)
    amounts = [_amount(number, name, cell.strip()) for name, cell in named]
    try:
        return Bar(symbol, timeframe, start, *amounts)
    except InvalidBar as fault:
        raise BadRow(number, str(fault)) from fault


def _moment(number: int, text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as fault:
        raise BadRow(number, f"start {text!r} is no RFC 3339 time") from fault
    if moment.tzinfo is None:
        raise BadRow(number, f"start {text!r} has no offset from UTC")
    return moment.astimezone(UTC)


def _amount(number: int, name: str, text: str) -> Decimal:
    try:
        # Python reads 1_000 as a number; nobody else does.
        return Decimal(text.replace("_", "?"))
    except InvalidOperation as fault:
        raise BadRow(number, f"{name} {text!r} is no number") from fault
