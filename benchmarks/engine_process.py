"""Bulkhead's matching engine as `benchmarks.engine` runs it: bars, orders, fills and books.

Neither Django nor a database: the engine and its numbers are pure.
"""

from __future__ import annotations

import json
import sys
import time
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any
from uuid import UUID

from benchmarks.strategies import STRATEGIES, Levels
from trading.market.bars import Bar
from trading.orders.costs import Costs
from trading.orders.live_book import LiveBook
from trading.orders.outcomes import Execution
from trading.orders.working import Terms, WorkingOrder
from trading.values import Increments, OrderType, Side, exact

_ACCOUNT, _UNIT = UUID(int=1), Decimal(1)
_SIDES = {side.value: side for side in Side}
_KINDS = {kind.value: (kind, f"{kind.value}_price") for kind in OrderType}


@dataclass(frozen=True, slots=True)
class History:
    """Bars, and the levels of each."""

    bars: list[Bar]
    levels: list[Levels]
    terms: Terms
    cash: Decimal

    @classmethod
    def read(cls, file: str) -> History:
        told = json.loads(Path(file).read_text())
        costs = Costs(maker_bps=Decimal(told["fee_bps"]), taker_bps=Decimal(told["fee_bps"]))
        increments = Increments(Decimal(told["price_increment"]), _UNIT)
        return cls(
            [_bar(told["symbol"], row) for row in told["bars"]],
            [Levels(*map(Decimal, row[:3]), row[3]) for row in told["levels"]],
            Terms(costs=costs, increments=increments, touch=True),
            Decimal(told["cash"]),
        )


class Desk:
    """An account's orders and books while the bars go by; the equity is marked at each."""

    def __init__(self, history: History) -> None:
        self._symbol = history.bars[0].symbol
        self._book = LiveBook(_ACCOUNT, self._symbol, history.terms)
        self._near: list[UUID] = []
        self._numbers = count(1)
        self._cash, self._quantity = history.cash, Decimal(0)
        self.equity: list[Decimal] = []
        self.fills: list[tuple[int, Execution]] = []

    @property
    def held(self) -> int:
        return int(self._quantity)

    def place(self, side: str, kind: str, price: Any = None) -> None:
        of_type, name = _KINDS[kind]
        prices = {} if price is None else {name: price}
        self._near.append(self._add(_SIDES[side], of_type, prices))

    def rest(self, price: int) -> None:
        self._add(Side.BUY, OrderType.LIMIT, {"limit_price": Decimal(price)})

    def withdraw(self) -> None:
        for order_id in self._near:
            self._book.cancel(order_id)
        self._near.clear()

    def meet(self, number: int, bar: Bar) -> None:
        for fill in self._book.meet(bar).executions:
            sign = 1 if fill.side is Side.BUY else -1
            self._cash -= sign * fill.quantity * fill.price + fill.fee
            self._quantity += sign * fill.quantity
            self.fills.append((number, fill))
        self.equity.append(self._cash + self._quantity * bar.close)

    def _add(self, side: Side, kind: OrderType, prices: dict[str, Decimal]) -> UUID:
        number = next(self._numbers)
        order = WorkingOrder(
            id=UUID(int=number),
            account=_ACCOUNT,
            symbol=self._symbol,
            side=side,
            type=kind,
            remaining=_UNIT,
            sequence=number,
            **prices,
        )
        self._book.place(order)
        return order.id


@exact()
def traded(history: History, strategy: str) -> Desk:
    """The whole history once; the first bar is only known, as it is to the yardstick."""
    desk, decide = Desk(history), STRATEGIES[strategy]()
    for number in range(1, len(history.bars)):
        desk.meet(number, history.bars[number])
        decide(desk, number, history.levels[number])
    return desk


def main(file: str) -> None:
    history = History.read(file)
    for line in sys.stdin:
        order = json.loads(line)
        started, on_cpu = time.perf_counter(), time.process_time()
        desk = traded(history, order["strategy"])
        spent = {"cpu": time.process_time() - on_cpu, "wall": time.perf_counter() - started}
        fills = [[number, fill.side.value, f"{fill.price:.2f}"] for number, fill in desk.fills]
        print(json.dumps({**spent, "fills": fills, "equity": str(desk.equity[-1])}), flush=True)


def _bar(symbol: str, row: list[str]) -> Bar:
    start, *numbers = row
    return Bar(symbol, "1h", datetime.fromisoformat(start), *map(Decimal, numbers))


if __name__ == "__main__":
    main(sys.argv[1])
