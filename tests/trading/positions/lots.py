"""Lots of a position, kept in memory as the stored ones are: what tests compare the books with."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal

from trading.positions import pnl
from trading.values import Side, exact


@dataclass(frozen=True, slots=True)
class FifoBook:
    """A position as lots, the oldest first, beside the running numbers that they come to."""

    lots: tuple[pnl.Lot, ...] = ()
    holding: pnl.Holding = field(default_factory=pnl.Holding)

    @property
    def quantity(self) -> Decimal:
        return self.holding.quantity

    @property
    def cost_basis(self) -> Decimal:
        return self.holding.cost_basis

    @property
    def average_price(self) -> Decimal:
        return self.holding.average_price

    @property
    def realized_pnl(self) -> Decimal:
        return self.holding.realized_pnl

    @property
    def fees(self) -> Decimal:
        return self.holding.fees


def apply_fifo(book: FifoBook, fill: pnl.HoldingFill) -> FifoBook:
    """The book after a fill: a purchase is a new lot, a sale takes the oldest. Raises Oversold."""
    if fill.side is Side.BUY:
        return FifoBook(
            (*book.lots, pnl.Lot(fill.quantity, fill.price)), pnl.apply(book.holding, fill)
        )
    sales = pnl.taken(book.lots, fill.quantity)
    return FifoBook(_left(book.lots, sales), pnl.apply(book.holding, fill, cost=pnl.cost_of(sales)))


def fold_fifo(fills: Iterable[pnl.HoldingFill]) -> FifoBook:
    """The lots that the fills leave, in their order. Raises Oversold."""
    book = FifoBook()
    for fill in fills:
        book = apply_fifo(book, fill)
    return book


@exact()
def _left(lots: tuple[pnl.Lot, ...], sales: list[pnl.Lot]) -> tuple[pnl.Lot, ...]:
    """The lots after a sale; only the last that it took from can have something left."""
    touched = lots[len(sales) - 1]
    rest = pnl.Lot(touched.quantity - sales[-1].quantity, touched.price)
    return ((rest,) if rest.quantity else ()) + lots[len(sales) :]
