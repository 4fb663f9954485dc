"""The process that is measured by `benchmarks.prices`: prints seconds and statements, as JSON."""

from __future__ import annotations

import json
import random
import sys
import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count

import django

django.setup()

from django.db import connection  # noqa: E402 - needs the app registry
from django.test.utils import CaptureQueriesContext  # noqa: E402

from benchmarks.prices import TOUCHED  # noqa: E402
from trading.market.bars import Bar  # noqa: E402
from trading.orders import feed, reindexing  # noqa: E402

_ENDS = {"BEGIN", "COMMIT"}
_FIRST = datetime(2024, 1, 1, tzinfo=UTC)
_HIGHEST = 1_000_000  # where order number 0 of each crowd buys


class Tape:
    """The bars of one crowd: each goes through as many orders as asked, the highest first."""

    def __init__(self, symbol: str) -> None:
        self._symbol, self._hours, self._filled = symbol, count(1), 0

    def bar(self, touched: int) -> Bar:
        self._filled += touched
        # Between the prices of the last order that it goes through and the next.
        low = Decimal(_HIGHEST - self._filled) + Decimal("0.5")
        top = max(Decimal(_HIGHEST + 10), low)
        start = _FIRST + timedelta(hours=next(self._hours))
        return Bar(self._symbol, "1h", start, top, top, low, top, Decimal(0))


def main(crowds: list[tuple[str, int, int]], rounds: int) -> None:
    reindexing.rebuild(now=datetime.now(UTC))
    tapes = {symbol: Tape(symbol) for symbol, _, _ in crowds}
    took = {symbol: {str(touched): [] for touched in TOUCHED} for symbol in tapes}
    statements = {symbol: {} for symbol in tapes}
    turns = [(symbol, touched) for symbol in tapes for touched in TOUCHED]
    # The first script that Valkey hears takes the index for lost, and it is told all again.
    for symbol, tape in tapes.items():
        _feed(symbol, tape.bar(0), 0)
    for symbol, touched in turns:
        statements[symbol][str(touched)] = _statements(symbol, tapes[symbol].bar(touched), touched)
    for _ in range(rounds):
        for symbol, touched in random.sample(turns, len(turns)):
            bar = tapes[symbol].bar(touched)
            started = time.perf_counter()
            _feed(symbol, bar, touched)
            took[symbol][str(touched)].append(time.perf_counter() - started)
    print(json.dumps({"seconds": took, "statements": statements}))


def _feed(symbol: str, bar: Bar, touched: int) -> None:
    fills = feed.feed(bar, now=datetime.now(UTC))
    if fills != touched:
        raise RuntimeError(f"{symbol}: {fills} fills of {touched}")


def _statements(symbol: str, bar: Bar, touched: int) -> int:
    """How many a bar takes, besides BEGIN and COMMIT."""
    with CaptureQueriesContext(connection) as captured:
        _feed(symbol, bar, touched)
    return sum(query["sql"] not in _ENDS for query in captured)


if __name__ == "__main__":
    main(json.loads(sys.argv[1]), int(sys.argv[2]))
