"""Rows of CSV files, plain or gzipped, and what their cells say; each fault names its row."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TextIO


class BadRow(ValueError):
    """A row that says nothing sound: `row` counts from 1, the header included; `reason` why."""

    code = "bad_row"

    def __init__(self, row: int, reason: str) -> None:
        super().__init__(f"row {row}: {reason}")
        self.row = row
        self.reason = reason


def opened(path: Path) -> TextIO:
    """The lines of a `.csv` or `.csv.gz` file."""
    # Spreadsheets write a byte-order mark, which utf-8-sig drops.
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8-sig", newline="")
    return path.open(encoding="utf-8-sig", newline="")


def numbered(lines: Iterable[str], header: tuple[str, ...]) -> Iterator[tuple[int, list[str]]]:
    """Rows that are not empty, after the header, each with its number. Raises BadRow."""
    rows = enumerate(_rows(lines), start=1)
    if tuple(cell.strip().lower() for cell in next(rows, (1, []))[1]) != header:
        raise BadRow(1, f"the header is not {','.join(header)}")
    for number, cells in rows:
        if cells and len(cells) != len(header):
            raise BadRow(number, f"has {len(cells)} cells, not {len(header)}")
        if cells:
            yield number, [cell.strip() for cell in cells]


def moment(number: int, name: str, text: str) -> datetime:
    """A time with its offset, in UTC. Raises BadRow."""
    try:
        found = datetime.fromisoformat(text)
        if found.tzinfo is not None:
            return found.astimezone(UTC)
    except (ValueError, OverflowError) as fault:
        raise BadRow(number, f"{name} {text!r} is no RFC 3339 time") from fault
    raise BadRow(number, f"{name} {text!r} has no offset from UTC")


def amount(number: int, name: str, text: str) -> Decimal:
    """A number. Raises BadRow."""
    try:
        # Python reads 1_000 as a number; nobody else does.
        return Decimal(text.replace("_", "?"))
    except InvalidOperation as fault:
        raise BadRow(number, f"{name} {text!r} is no number") from fault


def _rows(lines: Iterable[str]) -> Iterator[list[str]]:
    reader = csv.reader(lines)
    try:
        yield from reader
    except (csv.Error, UnicodeDecodeError) as fault:
        raise BadRow(reader.line_num + 1, "is not CSV in UTF-8") from fault
