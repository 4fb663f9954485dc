"""The same run by the package `backtesting`, in a throwaway environment that has it.

Its statistics of the whole run are left out, and its warnings; all else is as it comes.
"""

from __future__ import annotations

import json
import sys
import time
import warnings
from pathlib import Path
from typing import Any

import pandas as pd
from backtesting import Backtest, Strategy, backtesting

from benchmarks.strategies import STRATEGIES, Levels


class Scripted(Strategy):
    """The strategy under way, and the desk that it trades on."""

    # What `run` gives it has to be there before.
    strategy = ""
    levels: list[Levels] = []

    def init(self) -> None:
        self._decide = STRATEGIES[self.strategy]()
        self._near: list[Any] = []

    def next(self) -> None:
        number = len(self.data) - 1
        self._decide(self, number, self.levels[number])

    @property
    def held(self) -> int:
        return int(self.position.size)

    def place(self, side: str, kind: str, price: Any = None) -> None:
        order = self.buy if side == "buy" else self.sell
        prices = {} if price is None else {kind: price}
        self._near.append(order(size=1, **prices))

    def rest(self, price: int) -> None:
        self.buy(size=1, limit=price)

    def withdraw(self) -> None:
        still_open = set(self.orders)
        for order in self._near:
            if order in still_open:
                order.cancel()
        self._near.clear()


def _kept(strategy_instance: Any, equity: Any, **_: Any) -> dict[str, Any]:
    """Instead of the statistics: what there is to compare."""
    broker = strategy_instance._broker
    return {"trades": [*broker.closed_trades, *broker.trades], "equity": float(equity[-1])}


def _fills(trades: list[Any]) -> list[list[Any]]:
    """Entries and exits, in the order of time; each trade is of one unit."""
    found = []
    for trade in trades:
        sides = ("buy", "sell") if trade.is_long else ("sell", "buy")
        found.append([int(trade.entry_bar), sides[0], f"{trade.entry_price:.2f}"])
        if trade.exit_bar is not None:
            found.append([int(trade.exit_bar), sides[1], f"{trade.exit_price:.2f}"])
    return sorted(found)


def main(file: str) -> None:
    warnings.simplefilter("ignore")
    backtesting.compute_stats = _kept
    given = json.loads(Path(file).read_text())
    names = ["Open", "High", "Low", "Close", "Volume"]
    rows = [[float(number) for number in row[1:]] for row in given["bars"]]
    index = pd.DatetimeIndex([row[0] for row in given["bars"]]).tz_localize(None)
    frame = pd.DataFrame(rows, columns=names, index=index)
    levels = [Levels(*map(float, row[:3]), row[3]) for row in given["levels"]]
    commission = float(given["fee_bps"]) / 10_000
    test = Backtest(frame, Scripted, cash=float(given["cash"]), commission=commission)
    for line in sys.stdin:
        strategy = json.loads(line)["strategy"]
        started, on_cpu = time.perf_counter(), time.process_time()
        kept = test.run(strategy=strategy, levels=levels)
        spent = {"cpu": time.process_time() - on_cpu, "wall": time.perf_counter() - started}
        told = {**spent, "fills": _fills(kept["trades"]), "equity": kept["equity"]}
        print(json.dumps(told), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
