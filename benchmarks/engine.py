"""The matching engine in fills and bars a second, beside the package `backtesting`.

`python -m benchmarks engine`; takes about three minutes. Both trade the same strategies over the
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
from benchmarks.strategies import CROWD_FAR, HUNDRED_FAR, STRATEGIES
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
    del runs[CROWD_FAR][YARDSTICK]  # it looks at each order at every bar: that would take hours
    for number in range(size.batches):
        with _started(programs) as engines:
            for strategy, by_engine in runs.items():
                for batches in by_engine.values():
                    batches.append([])
                for _ in range(size.turns):
                    asked = [engine for engine in engines if engine.name in by_engine]
                    for engine in random.sample(asked, len(asked)):
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
    _check(runs)
    table = Table(
        f"{size.bars:,} hours of BTC/USD",
        ["strategy", "engine", "fills", "bars/s", "fills/s", "times the yardstick's speed"],
        [row for strategy in runs for row in _rows(size, strategy, runs[strategy])],
        _NOTE,
    )
    data = {strategy: _data(by_engine) for strategy, by_engine in runs.items()}
    return Report("engine", "The matching engine beside `backtesting` 0.6.6", [table], data)


def _rows(size: Size, strategy: str, by_engine: dict[str, list[list[Run]]]) -> Iterator[list[str]]:
    for name, batches in by_engine.items():
        fills, seconds = len(batches[0][0].fills), _seconds(batches)
        speeds = [f"{count / seconds:,.0f}" for count in (size.bars, fills)]
        yield [strategy, name, f"{fills:,}", *speeds, _ratio(name, by_engine)]


def _ratio(name: str, by_engine: dict[str, list[list[Run]]]) -> str:
    if YARDSTICK not in by_engine:
        return "–"
    if name == YARDSTICK:
        return "1"
    pairs = zip(by_engine[name], by_engine[YARDSTICK], strict=True)
    return ratio(Spread.of(_quickest(theirs) / _quickest(ours) for ours, theirs in pairs))


def _data(by_engine: dict[str, list[list[Run]]]) -> dict[str, Any]:
    return {
        "fills": {name: len(batches[0][0].fills) for name, batches in by_engine.items()},
        "equity": {name: batches[0][0].equity for name, batches in by_engine.items()},
        "cpu_seconds": {n: [[r.cpu for r in b] for b in bs] for n, bs in by_engine.items()},
        "wall_seconds": {n: [[r.wall for r in b] for b in bs] for n, bs in by_engine.items()},
    }


_NOTE = """\
Seconds of CPU time of one process: the strategy's decisions, matching, fees, cash, position and
the equity of every bar. Every fill of both is of the same bar, side and price, or the run fails.
For that the rules are set alike, which are not by default: a limit is filled by a touch
(`touch`), the volume is unknown and so caps nothing (`backtesting` does not look at it; three of
these hours have traded less than one unit), no slippage, 0.1 % fee on each fill, and a market
order takes the next open. Exits are orders of their own and no group, because `backtesting` may
fill the legs of a bracket in the bar of its entry and Bulkhead in the bar after it. Bulkhead
reckons in decimals and writes into each fill what it was made from; `backtesting` reckons in
floats and marks each trade by itself. Its statistics of the run are left out. Among 10,000
orders Bulkhead runs alone, and has to give the fills that it gives among 100."""


def _check(runs: Runs) -> None:
    """Raises AssertionError when the engines, or two runs of one, differ."""
    for strategy, by_engine in runs.items():
        for name, batches in by_engine.items():
            fills = batches[0][0].fills
            is_same = all(done.fills == fills for batch in batches for done in batch)
            assert is_same, f"{strategy}: two runs of {name} differ"
        if YARDSTICK in by_engine:
            _check_same(strategy, *(batches[0][0] for batches in by_engine.values()))
    _check_same(CROWD_FAR, *(runs[name][BULKHEAD][0][0] for name in (CROWD_FAR, HUNDRED_FAR)))


def _check_same(strategy: str, ours: Run, theirs: Run) -> None:
    """Every fill is of the same bar, side and price."""
    same = sorted(map(tuple, ours.fills)) == sorted(map(tuple, theirs.fills))
    assert same, f"{strategy}: the fills differ"
    # The yardstick's is a float that has added up thousands of numbers.
    assert abs(ours.equity - theirs.equity) < 1e-4, f"{strategy}: {ours.equity} {theirs.equity}"


def _quickest(batch: list[Run]) -> float:
    """Noise only ever adds."""
    return min(done.cpu for done in batch)


def _seconds(batches: list[list[Run]]) -> float:
    return statistics.median(_quickest(batch) for batch in batches)
