"""CSV of bars: what is read, and which row is refused for what."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime
from decimal import Decimal
from itertools import islice, repeat
from pathlib import Path

import pytest

from trading.market import csv_bars
from trading.market.csv_bars import BadRow, Bar
from trading.market.timeframes import UnknownTimeframe

HEADER = "start,open,high,low,close,volume"
ROW = "2024-03-04T09:00:00Z,100,105,95,101,12.5"
TEXT = f"{HEADER}\n{ROW}\n2024-03-04T10:00:00Z,101,102,100,100,0\n"


def parsed(*lines: str) -> list[Bar]:
    return list(csv_bars.parse(lines, "GOOG", "1h"))


def test_a_row_becomes_a_bar() -> None:
    (bar,) = parsed(HEADER, ROW)
    assert bar == Bar(
        symbol="GOOG",
        timeframe="1h",
        start=datetime(2024, 3, 4, 9, tzinfo=UTC),
        open=Decimal(100),
        high=Decimal(105),
        low=Decimal(95),
        close=Decimal(101),
        volume=Decimal("12.5"),
    )


@pytest.mark.parametrize("name", ["bars.csv", "bars.csv.gz"])
def test_a_file_is_read_plain_or_zipped(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    data = TEXT.encode()
    path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    assert [bar.close for bar in csv_bars.read(path, "GOOG", "1h")] == [101, 100]


def test_a_spreadsheet_s_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "bars.csv"
    path.write_bytes(b"\xef\xbb\xbf" + TEXT.replace("\n", "\r\n").encode())
    assert len(list(csv_bars.read(path, "GOOG", "1h"))) == 2


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("2024-03-04T09:00:00Z,100,105,95", "has 4 cells, not 6"),
        ("yesterday,100,105,95,101,1", "start 'yesterday' is no RFC 3339 time"),
        ("2024-03-04T09:00:00,100,105,95,101,1", "has no offset from UTC"),
        ("2024-03-04T09:00:00Z,100,ten,95,101,1", "high 'ten' is no number"),
        ("2024-03-04T09:00:00Z,1_00,105,95,101,1", "open '1_00' is no number"),
        ("2024-03-04T09:00:00Z,100,105,95,101,", "volume '' is no number"),
        ("2024-03-04T09:00:00Z,100,105,95,nan,1", "a number is not finite"),
        ("2024-03-04T09:00:00Z,100,99,95,98,1", "high is below open or close"),
        ("2024-03-04T08:00:00Z,100,105,95,101,1", "start is not after the row before"),
        ("2024-03-04T10:00:00+01:00,100,105,95,101,1", "start is not after the row before"),
    ],
)
def test_a_bad_row_is_refused_with_its_number_and_reason(row: str, reason: str) -> None:
    before = ROW.replace("T09", "T08") if "not after" not in reason else ROW
    with pytest.raises(BadRow) as refused:
        parsed(HEADER, before, row)
    assert refused.value.row == 3
    assert reason in refused.value.reason


@pytest.mark.parametrize("header", ["", "time,open,high,low,close,volume", ROW])
def test_another_header_is_refused(header: str) -> None:
    with pytest.raises(BadRow, match="row 1: the header is not start,open"):
        parsed(header, ROW)


def test_an_empty_file_is_refused() -> None:
    with pytest.raises(BadRow, match="row 1"):
        parsed()


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "bars.csv"
    path.write_bytes(f"{HEADER}\n".encode() + b"\xff\xfe\x00\n")
    with pytest.raises(BadRow, match="not CSV in UTF-8"):
        list(csv_bars.read(path, "GOOG", "1h"))


def test_an_unknown_timeframe_is_refused_before_the_file_is_opened(tmp_path: Path) -> None:
    with pytest.raises(UnknownTimeframe):
        csv_bars.read(tmp_path / "missing.csv", "GOOG", "3h")


def test_bars_come_one_at_a_time() -> None:
    def endless() -> object:
        yield from (HEADER, ROW)
        yield from repeat("a bad row")

    assert len(list(islice(csv_bars.parse(endless(), "GOOG", "1h"), 1))) == 1
