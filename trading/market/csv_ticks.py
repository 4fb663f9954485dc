"""Ticks from CSV files: `at,price,quantity,side,trade_id,is_buyer_maker`, row by row."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from trading.market import csv_rows
from trading.market.csv_rows import BadRow
from trading.market.ticks import InvalidTick, Tick
from trading.values import Side

HEADER = ("at", "price", "quantity", "side", "trade_id", "is_buyer_maker")
_TRUTHS = {"true": True, "false": False}
_ID_DIGITS = 19  # of the largest bigint


def read(path: Path, symbol: str) -> Iterator[Tick]:
    """The ticks of a `.csv` or `.csv.gz` file, in any order. Raises BadRow."""
    with csv_rows.opened(path) as lines:
        yield from parse(lines, symbol)


def parse(lines: Iterable[str], symbol: str) -> Iterator[Tick]:
    """The ticks in lines of CSV. Raises BadRow."""
    for number, cells in csv_rows.numbered(lines, HEADER):
        yield _tick(number, cells, symbol)


def _tick(number: int, cells: list[str], symbol: str) -> Tick:
    at, price, quantity, side, trade_id, is_buyer_maker = cells
    try:
        return Tick(
            symbol=symbol,
            at=csv_rows.moment(number, "at", at),
            price=csv_rows.amount(number, "price", price),
            quantity=csv_rows.amount(number, "quantity", quantity),
            side=_side(number, side),
            trade_id=_trade_id(number, trade_id),
            is_buyer_maker=_truth(number, is_buyer_maker),
        )
    except InvalidTick as fault:
        raise BadRow(number, str(fault)) from fault


def _side(number: int, text: str) -> Side:
    if text.lower() not in [*Side]:
        raise BadRow(number, f"side {text!r} is neither buy nor sell")
    return Side(text.lower())


def _trade_id(number: int, text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= _ID_DIGITS):
        raise BadRow(number, f"trade_id {text!r} is no whole number")
    return int(text)


def _truth(number: int, text: str) -> bool:
    if text.lower() not in _TRUTHS:
        raise BadRow(number, f"is_buyer_maker {text!r} is neither true nor false")
    return _TRUTHS[text.lower()]
