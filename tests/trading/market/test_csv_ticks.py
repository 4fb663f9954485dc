"""Ticks from CSV: what is read, and which row is named when one is wrong."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from trading.market import csv_ticks
from trading.market.csv_rows import BadRow
from trading.market.ticks import Tick
from trading.values import Side

HEADER = "at,price,quantity,side,trade_id,is_buyer_maker"
GOOD = "2024-01-01T01:00:00.000001+01:00,100.5,0.25,Sell,7,TRUE"


def test_a_row_is_a_tick_in_utc(tmp_path: Path) -> None:
    file = tmp_path / "ticks.csv"
    file.write_text(f"{HEADER}\n\n{GOOD}\n")
    at = datetime(2024, 1, 1, 0, 0, 0, 1, tzinfo=UTC)
    tick = Tick("BTC/USD", at, Decimal("100.5"), Decimal("0.25"), Side.SELL, 7, True)
    assert list(csv_ticks.read(file, "BTC/USD")) == [tick]


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ("yesterday,1,1,buy,1,true", "row 3: at 'yesterday'"),
        ("2024-01-01T00:00:00,1,1,buy,1,true", "row 3: at '2024-01-01T00:00:00' has no offset"),
        ("2024-01-01T00:00:00Z,1_0,1,buy,1,true", "row 3: price '1_0'"),
        ("2024-01-01T00:00:00Z,1,0,buy,1,true", "row 3: quantity is not positive"),
        ("2024-01-01T00:00:00Z,1,1,long,1,true", "row 3: side 'long'"),
        ("2024-01-01T00:00:00Z,1,1,buy,-1,true", "row 3: trade_id '-1'"),
        ("2024-01-01T00:00:00Z,1,1,buy,١,true", "row 3: trade_id"),
        (f"2024-01-01T00:00:00Z,1,1,buy,{10**19},true", "row 3: trade_id"),
        ("2024-01-01T00:00:00Z,1,1,buy,1,1", "row 3: is_buyer_maker '1'"),
        ("2024-01-01T00:00:00Z,1,1,buy,1", "row 3: has 5 cells, not 6"),
    ],
)
def test_a_wrong_row_is_named(wrong: str, reason: str) -> None:
    with pytest.raises(BadRow, match=reason):
        list(csv_ticks.parse([HEADER, GOOD, wrong], "BTC/USD"))


def test_a_file_of_bars_is_no_file_of_ticks() -> None:
    with pytest.raises(BadRow, match="row 1: the header is not at,price"):
        list(csv_ticks.parse(["start,open,high,low,close,volume"], "BTC/USD"))
