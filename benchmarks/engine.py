"""The matching engine in fills and bars a second, beside the package `backtesting`.

`python -m benchmarks.engine`; takes about three minutes. Both trade the same strategies over the
bundled hours of BTC/USD, in turns; the yardstick (AGPL) is installed from `yardstick.txt` into an
environment that ends with the run.
"""

from __future__ import annotations

import json
import os
import random
import statistics
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from pathlib import Path
from typing import Any

from benchmarks import environments
from benchmarks.installation import ROOT
from benchmarks.processes import Answering
from benchmarks.race import Spread
from benchmarks.report import Report, Table, publish, ratio
from benchmarks.strategies import STRATEGIES
from trading.market.bars import Bar
from trading.market.history import catalogue
from trading.values import plain

BULKHEAD, YARDSTICK = "Bulkhead", "backtesting"
PINNED = ROOT / "benchmarks" / "yardstick.txt"
_CENT = Decimal("0.01")
_FEE_BPS, _CASH = "10", "100000000"
_ENTRY, _PROFIT, _STOP = Decimal("0.995"), Decimal("1.01"), Decimal("0.99")


@dataclass(frozen=True, slots=True)
class Size:
    """How many bars, and how often: every batch has processes of its own."""

    bars: int
    batches: int
    turns: int


FULL, QUICK = Size(20_110, 2, 1), Size(2_000, 1, 2)


@dataclass(frozen=True, slots=True)
class Run:
    """One engine's whole history: seconds of CPU, and what came of it."""

    cpu: float
    wall: float
    fills: list[list[Any]]
    equity: float


Runs = dict[str, dict[str, list[list[Run]]]]  # by strategy, by engine: batches of turns


def run(*, quick: bool = False) -> None:
    size = QUICK if quick else FULL
    with tempfile.TemporaryDirectory(prefix="bulkhead-bench-") as name:
        folder = Path(name)
        history = folder / "history.json"
        history.write_text(json.dumps(_history(size.bars)))
        programs = {
            BULKHEAD: [sys.executable, "-m", "benchmarks.engine_process", str(history)],
            YARDSTICK: [
                environments.interpreter(folder / "yardstick", PINNED),
                *("-m", "benchmarks.yardstick_process", str(history)),
            ],
        }
        publish(_report(size, _race(programs, size)), None, keep=not quick)


def _history(bars: int) -> dict[str, Any]:
    """The bars and the levels of each, as numbers in words: both read the same file."""
    found = catalogue.find("BTC/USD")
    assert found is not None
    history = list(catalogue.bars(found, "1h"))[:bars]
    closes = [bar.close for bar in history]
    return {
        "symbol": found.symbol,
        "price_increment": plain(found.price_increment),
        "fee_bps": _FEE_BPS,
        "cash": _CASH,
        "bars": [_row(bar) for bar in history],
        "levels": [
            [*(plain(_cents(close * by)) for by in (_ENTRY, _PROFIT, _STOP)), _cross(closes, place)]
            for place, close in enumerate(closes)
        ],
    }


def _row(bar: Bar) -> list[str]:
    """Without its volume, which is then unknown: the yardstick fills without looking at it."""
    numbers = (bar.open, bar.high, bar.low, bar.close, Decimal(0))
    return [bar.start.isoformat(), *map(plain, numbers)]


def _cents(price: Decimal) -> Decimal:
    return price.quantize(_CENT, ROUND_HALF_EVEN)


def _cross(closes: list[Decimal], place: int) -> int:
    """1 where the mean of 10 closes goes above that of 20, −1 where it goes below, else 0."""
    if place < 20:
        return 0
    before, now = (_lead(closes[place - 19 - back : place + 1 - back]) for back in (1, 0))
    return int(before <= 0 < now) - int(before >= 0 > now)


def _lead(twenty: list[Decimal]) -> Decimal:
    return sum(twenty[10:], Decimal(0)) / 10 - sum(twenty, Decimal(0)) / 20


def _race(programs: dict[str, list[str]], size: Size) -> Runs:
    """Both take turns, in random order."""
    runs: Runs = {strategy: {name: [] for name in programs} for strategy in STRATEGIES}
    for number in range(size.batches):
        with _started(programs) as engines:
            for strategy, by_engine in runs.items():
                for batches in by_engine.values():
                    batches.append([])
                for _ in range(size.turns):
                    for engine in random.sample(engines, len(engines)):
                        told = engine("run", strategy=strategy)
                        done = Run(told["cpu"], told["wall"], told["fills"], float(told["equity"]))
                        by_engine[engine.name][-1].append(done)
        print(f"… batch {number + 1} of {size.batches}", file=sys.stderr, flush=True)
    return runs


@contextmanager
def _started(programs: dict[str, list[str]]) -> Iterator[list[Answering]]:
    """Fresh processes of both."""
    environment = {"PATH": os.defpath, "PYTHONHASHSEED": "0", "PYTHONPATH": str(ROOT)}
    with ExitStack() as stack:
        engines = []
        for name, command in programs.items():
            engine = Answering(name, command, environment)
            stack.callback(engine.stop)
            engines.append(engine)
        yield engines


def _report(size: Size, runs: Runs) -> Report:
    rows, data = [], {}
    for strategy, by_engine in runs.items():
        ours, theirs = by_engine[BULKHEAD], by_engine[YARDSTICK]
        seconds = {name: _seconds(batches) for name, batches in by_engine.items()}
        speed = Spread.of(_quickest(b) / _quickest(a) for a, b in zip(ours, theirs, strict=True))
        fills = {name: len(batches[0][0].fills) for name, batches in by_engine.items()}
        same = _same(ours[0][0].fills, theirs[0][0].fills)
        rows += [
            [
                strategy,
                name,
                f"{fills[name]:,}",
                f"{size.bars / seconds[name]:,.0f}",
                f"{fills[name] / seconds[name]:,.0f}",
                ratio(speed) if name == BULKHEAD else "1",
            ]
            for name in by_engine
        ]
        data[strategy] = {
            "fills": fills,
            "same_fills": same,
            "equity": {name: batches[0][0].equity for name, batches in by_engine.items()},
            "cpu_seconds": {n: [[r.cpu for r in b] for b in bs] for n, bs in by_engine.items()},
            "wall_seconds": {n: [[r.wall for r in b] for b in bs] for n, bs in by_engine.items()},
        }
        _check(strategy, by_engine, same)
    table = Table(
        f"{size.bars:,} hours of BTC/USD",
        ["strategy", "engine", "fills", "bars/s", "fills/s", "times the yardstick's speed"],
        rows,
        _NOTE,
    )
    return Report("engine", "The matching engine beside `backtesting` 0.6.6", [table], data)


_NOTE = """\
Seconds of CPU time of one process: the strategy's decisions, matching, fees, cash, position and
the equity of every bar. Every fill of both is of the same bar, side and price, or the run fails.
For that the rules are set alike, which are not by default: a limit is filled by a touch
(`touch`), the volume is unknown and so caps nothing (`backtesting` does not look at it; three of
these hours have traded less than one unit), no slippage, 0.1 % fee on each fill, and a market
order takes the next open. Exits are orders of their own and no group, because `backtesting` may
fill the legs of a bracket in the bar of its entry and Bulkhead in the bar after it. Bulkhead
reckons in decimals and writes into each fill what it was made from; `backtesting` reckons in
floats and marks each trade by itself. Its statistics of the run are left out."""


def _check(strategy: str, by_engine: dict[str, list[list[Run]]], same: int) -> None:
    """Raises AssertionError when the engines, or two runs of one, differ."""
    first = {name: batches[0][0] for name, batches in by_engine.items()}
    for name, batches in by_engine.items():
        for done in (done for batch in batches for done in batch):
            assert done.fills == first[name].fills, f"{strategy}: two runs of {name} differ"
    ours, theirs = first[BULKHEAD], first[YARDSTICK]
    assert same == len(ours.fills) == len(theirs.fills), f"{strategy}: the fills differ"
    # The yardstick's is a float that has added up thousands of numbers.
    assert abs(ours.equity - theirs.equity) < 1e-4, f"{strategy}: {ours.equity} {theirs.equity}"


def _same(ours: list[list[Any]], theirs: list[list[Any]]) -> int:
    """How many fills are of the same bar, side and price."""
    left = sorted(map(tuple, ours))
    right = sorted(map(tuple, theirs))
    return len(left) if left == right else len(set(left) & set(right))


def _quickest(batch: list[Run]) -> float:
    """Noise only ever adds."""
    return min(done.cpu for done in batch)


def _seconds(batches: list[list[Run]]) -> float:
    return statistics.median(_quickest(batch) for batch in batches)


if __name__ == "__main__":
    run()
