"""equity_end − equity_start = Σ pnl + Σ cash flows, for any two samples of any stream of facts."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.trading.positions.lots import FifoBook, apply_fifo
from trading.portfolio.profit import Booked, By, Flow, Held, Line, Sample, Statement, statement
from trading.positions import pnl
from trading.positions.pnl import HoldingFill
from trading.values import Side, exact

ACCOUNTS = [UUID(int=number) for number in (1, 2)]
NAMES = {ACCOUNTS[0]: "one", ACCOUNTS[1]: "two"}
SYMBOLS = {"BTC/USD": "USD", "ETH/USD": "USD", "SAP/EUR": "EUR"}
Fact = Booked | Flow


@dataclass
class World:
    """Accounts as their books would be: cash by currency, positions with their lots, facts."""

    cash: dict[tuple[UUID, str], Decimal] = field(default_factory=dict)
    books: dict[tuple[UUID, str], FifoBook] = field(default_factory=dict)
    prices: dict[str, Decimal] = field(default_factory=dict)
    facts: list[Fact] = field(default_factory=list)
    samples: list[tuple[int, list[Sample]]] = field(default_factory=list)

    def pay(self, account: UUID, currency: str, amount: Decimal) -> None:
        with exact():
            self.cash[account, currency] = self.cash.get((account, currency), Decimal(0)) + amount

    def flow(self, account: UUID, currency: str, amount: Decimal) -> None:
        self.pay(account, currency, amount)
        self.facts.append(Flow(account, currency, amount))

    @exact()
    def fill(self, account: UUID, symbol: str, fill: HoldingFill) -> None:
        before = self.books.get((account, symbol), FifoBook())
        after = self.books[account, symbol] = apply_fifo(before, fill)
        sign = -1 if fill.side is Side.BUY else 1
        self.pay(account, SYMBOLS[symbol], sign * fill.quantity * fill.price - fill.fee)
        gained = after.realized_pnl - before.realized_pnl
        quote = SYMBOLS[symbol]
        self.facts.append(Booked(account, symbol, symbol, quote, gained, quote, fill.fee))

    @exact()
    def sample(self) -> None:
        held: dict[tuple[UUID, str], list[Held]] = {key: [] for key in self.cash}
        for (account, symbol), book in self.books.items():
            value = pnl.market_value(book, self.prices[symbol])
            held[account, SYMBOLS[symbol]].append(Held(symbol, symbol, book.cost_basis, value))
        sides = [Sample(*key, self.cash[key], tuple(rows)) for key, rows in held.items()]
        self.samples.append((len(self.facts), sides))

    def between(self, by: By, first: int, last: int) -> Statement:
        """As the statement is asked for: facts by the samples that they lie between."""
        (begun, start), (done, end) = self.samples[first], self.samples[last]
        facts = self.facts[begun:done]
        booked = [fact for fact in facts if isinstance(fact, Booked)]
        flows = [fact for fact in facts if isinstance(fact, Flow)]
        return statement(by, start, end, booked, flows, names=NAMES)


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """A few accounts' days: money in and out, trades, prices that move, and samples."""
    world = World(prices={symbol: Decimal(100) for symbol in SYMBOLS})
    world.sample()
    for _ in range(draw(st.integers(1, 15))):
        account, symbol = draw(st.sampled_from(ACCOUNTS)), draw(st.sampled_from(sorted(SYMBOLS)))
        what = draw(st.sampled_from(("flow", "fill", "price", "sample")))
        price = draw(st.decimals("0.01", "90000", places=2))
        if what == "flow":
            world.flow(account, SYMBOLS[symbol], draw(st.decimals("-500", "500", places=2)))
        elif what == "price":
            world.prices[symbol] = price
        elif what == "sample":
            world.sample()
        else:
            world.fill(account, symbol, draw(a_fill(world, account, symbol, price)))
    world.sample()
    return world


@st.composite
def a_fill(
    draw: st.DrawFn, world: World, account: UUID, symbol: str, price: Decimal
) -> HoldingFill:
    held = world.books.get((account, symbol), FifoBook()).quantity
    side = draw(st.sampled_from(Side)) if held else Side.BUY
    most = held if side is Side.SELL else Decimal(50)
    quantity = draw(st.decimals("0.0001", most, places=4))
    return HoldingFill(side, quantity, price, draw(st.decimals("0", "9", places=4)))


@given(worlds(), st.sampled_from(By), st.data())
def test_a_statement_leads_from_one_equity_to_the_other(
    world: World, by: By, data: st.DataObject
) -> None:
    last = data.draw(st.integers(0, len(world.samples) - 1))
    first = data.draw(st.integers(0, last))
    told = world.between(by, first, last)
    with exact():
        for total in told.totals:
            assert total.equity_start is not None
            assert total.equity_end is not None
            assert total.line.total == total.equity_end - total.equity_start
            lines = [line for line in told.lines if line.currency == total.line.currency]
            assert sum(line.total or 0 for line in lines) == total.line.total


@given(worlds(), st.sampled_from(By))
def test_statements_of_parts_add_up_to_the_whole(world: World, by: By) -> None:
    def won(first: int, last: int) -> dict[str, Decimal | None]:
        told = world.between(by, first, last)
        return {total.line.currency: total.line.pnl for total in told.totals}

    middle, last = len(world.samples) // 2, len(world.samples) - 1
    before, after, whole = won(0, middle), won(middle, last), won(0, last)
    with exact():
        for currency, pnl_of_all in whole.items():
            parts = (before.get(currency), after.get(currency))
            assert sum(part or Decimal(0) for part in parts) == pnl_of_all


def samples(value: Decimal | None) -> list[Sample]:
    held = Held("p", "XAU/USD", Decimal(90), value)
    return [Sample(ACCOUNTS[0], "USD", Decimal(10), (held,))]


@pytest.mark.parametrize("by", list(By))
def test_a_missing_price_leaves_the_change_unknown_and_the_rest_known(by: By) -> None:
    for start, end in ((None, Decimal(95)), (Decimal(95), None), (None, None)):
        told = statement(by, samples(start), samples(end), [], [], names=NAMES)
        total = told.totals[0]
        assert (total.line.unrealized_change, total.line.pnl, total.line.total) == (None,) * 3
        assert (total.equity_start is None) == (start is None)
        assert total.line.fees == 0


def test_money_that_came_is_no_profit() -> None:
    flows = [Flow(ACCOUNTS[0], "USD", Decimal(500))]
    end = [Sample(ACCOUNTS[0], "USD", Decimal(500))]
    for by in By:
        told = statement(by, [], end, [], flows, names=NAMES)
        line = told.totals[0].line
        assert (line.pnl, line.cash_flows, line.total) == (0, 500, 500)
    assert [(row.key, row.label) for row in told.lines] == [(None, "cash")]


def test_a_fee_in_another_currency_is_that_currencys() -> None:
    booked = [
        Booked(ACCOUNTS[0], "p", "BTC/USD", "USD", Decimal(7), fee_currency="BNB", fees=Decimal(1))
    ]
    told = statement(By.INSTRUMENT, [], [], booked, [], names=NAMES)
    bnb, usd = told.lines
    assert (bnb.currency, bnb.realized_pnl, bnb.fees) == ("BNB", 0, 1)
    assert (usd.currency, usd.realized_pnl, usd.fees) == ("USD", 7, 0)


def test_a_line_knows_what_it_comes_to() -> None:
    line = Line("k", "label", "USD", Decimal(5), Decimal(-2), Decimal(1), Decimal(10))
    assert (line.pnl, line.total) == (2, 12)
    unknown = replace(line, unrealized_change=None)
    assert (unknown.pnl, unknown.total) == (None, None)
