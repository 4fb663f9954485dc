"""The same fills counted at average cost and by lots: what holds at every moment of a stream."""

from __future__ import annotations

import os
from decimal import Decimal

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests.trading.positions.lots import FifoBook, apply_fifo
from trading.positions import pnl
from trading.positions.pnl import Holding, HoldingFill, Oversold
from trading.values import Side, exact

IN_THE_SUITE = 30
EXAMPLES = int(os.environ.get("FOLDING_EXAMPLES", IN_THE_SUITE))
SETTINGS = settings(
    max_examples=EXAMPLES, deadline=None, derandomize=EXAMPLES <= IN_THE_SUITE, database=None
)
prices = st.decimals("0.00001", "90000", places=5)
fees = st.decimals("0", "10", places=8)
parts = st.decimals("0.00000001", "0.99999999", places=8)
STEP = Decimal("1e-8")  # of the instrument


class Folding(RuleBasedStateMachine):
    """One stream of fills, folded both ways; `paid` is the money that it cost so far."""

    def __init__(self) -> None:
        super().__init__()
        self.average, self.lots = Holding(), FifoBook()
        self.held = self.paid = Decimal(0)

    @rule(quantity=st.decimals("0.00000001", "100", places=8), price=prices, fee=fees)
    def buy(self, quantity: Decimal, price: Decimal, fee: Decimal) -> None:
        self._book(HoldingFill(Side.BUY, quantity, price, fee))

    @precondition(lambda self: self.held)
    @rule(part=parts, price=prices, fee=fees)
    def sell_a_part(self, part: Decimal, price: Decimal, fee: Decimal) -> None:
        with exact():
            sold = (self.held * part).quantize(STEP)
        if sold:
            self._book(HoldingFill(Side.SELL, sold, price, fee))

    @precondition(lambda self: self.held)
    @rule(price=prices, fee=fees)
    def sell_all(self, price: Decimal, fee: Decimal) -> None:
        self._book(HoldingFill(Side.SELL, self.held, price, fee))

    @rule(more=parts, price=prices)
    def sell_more_than_is_held(self, more: Decimal, price: Decimal) -> None:
        with exact():
            sale = HoldingFill(Side.SELL, self.held + more, price)
        with pytest.raises(Oversold):
            pnl.apply(self.average, sale)
        with pytest.raises(Oversold):
            apply_fifo(self.lots, sale)

    @invariant()
    def both_hold_the_same(self) -> None:
        assert self.average.quantity == self.lots.quantity == self.held >= 0
        assert self.average.fees == self.lots.fees
        with exact():
            assert sum(lot.quantity for lot in self.lots.lots) == self.held
        assert pnl.cost_of(self.lots.lots) == self.lots.cost_basis

    @invariant()
    def money_is_cost_or_profit(self) -> None:
        with exact():
            for held in (self.average, self.lots):
                assert held.cost_basis >= 0
                assert held.cost_basis - held.realized_pnl == self.paid

    @invariant()
    def flat_they_agree(self) -> None:
        if not self.held:
            assert self.average.cost_basis == self.lots.cost_basis == 0
            assert self.average.realized_pnl == self.lots.realized_pnl

    @exact()
    def _book(self, fill: HoldingFill) -> None:
        self.average = pnl.apply(self.average, fill)
        self.lots = apply_fifo(self.lots, fill)
        sign = 1 if fill.side is Side.BUY else -1
        self.held += sign * fill.quantity
        self.paid += sign * fill.quantity * fill.price


def test_average_cost_and_lots_agree_about_any_stream() -> None:
    run_state_machine_as_test(Folding, settings=SETTINGS)
