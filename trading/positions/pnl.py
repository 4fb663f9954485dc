"""A position as a fold of its fills: average cost, or lots first in first out. Long only.

Money is in the quote currency. Realised profit is before fees, which are counted beside it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Protocol

from trading.values import DECIMAL_PLACES, Side, exact

_SMALLEST = Decimal(1).scaleb(-DECIMAL_PLACES)
_NONE = Decimal(0)


class Oversold(ValueError):
    """A sale of more than is held."""

    code = "oversold"

    def __init__(self, held: Decimal, sold: Decimal) -> None:
        super().__init__(f"{sold} sold of {held}")
        self.held = held
        self.sold = sold


@dataclass(frozen=True, slots=True)
class HoldingFill:
    """One execution: `quantity` in the base asset, `price` and `fee` in the quote currency."""

    side: Side
    quantity: Decimal
    price: Decimal
    fee: Decimal = _NONE

    def __post_init__(self) -> None:
        if self.quantity <= 0 or self.price <= 0:
            raise ValueError("a fill has a positive quantity and price")


class Held(Protocol):
    """What both ways to count cost have in common."""

    @property
    def quantity(self) -> Decimal: ...

    @property
    def cost_basis(self) -> Decimal: ...


@dataclass(frozen=True, slots=True)
class Holding:
    """A position at average cost. `cost_basis` is the truth, `average_price` follows from it."""

    quantity: Decimal = _NONE
    average_price: Decimal = _NONE
    cost_basis: Decimal = _NONE
    realized_pnl: Decimal = _NONE
    fees: Decimal = _NONE


@dataclass(frozen=True, slots=True)
class Lot:
    """What is left of one purchase."""

    quantity: Decimal
    price: Decimal


@dataclass(frozen=True, slots=True)
class FifoBook:
    """A position as lots, the oldest first."""

    lots: tuple[Lot, ...] = ()
    realized_pnl: Decimal = _NONE
    fees: Decimal = _NONE

    @property
    def quantity(self) -> Decimal:
        return sum((lot.quantity for lot in self.lots), _NONE)

    @property
    def cost_basis(self) -> Decimal:
        with exact():
            return sum((lot.quantity * lot.price for lot in self.lots), _NONE)

    @property
    def average_price(self) -> Decimal:
        return _average(self.cost_basis, self.quantity)


@exact()
def apply(holding: Holding, fill: HoldingFill) -> Holding:
    """The holding after a fill, at average cost. Raises Oversold."""
    value = fill.quantity * fill.price
    if fill.side is Side.BUY:
        quantity, cost, gain = holding.quantity + fill.quantity, holding.cost_basis + value, _NONE
    else:
        released = _released(holding, fill.quantity)
        quantity, cost = holding.quantity - fill.quantity, holding.cost_basis - released
        gain = value - released
    return Holding(
        quantity=quantity,
        average_price=_average(cost, quantity),
        cost_basis=cost,
        realized_pnl=holding.realized_pnl + gain,
        fees=holding.fees + fill.fee,
    )


@exact()
def apply_fifo(book: FifoBook, fill: HoldingFill) -> FifoBook:
    """The book after a fill: a purchase is a new lot, a sale takes the oldest. Raises Oversold."""
    fees = book.fees + fill.fee
    if fill.side is Side.BUY:
        return replace(book, lots=(*book.lots, Lot(fill.quantity, fill.price)), fees=fees)
    lots, cost = _without(book.lots, fill.quantity)
    gain = fill.quantity * fill.price - cost
    return FifoBook(lots, book.realized_pnl + gain, fees)


def fold(fills: Iterable[HoldingFill]) -> Holding:
    """The holding that the fills add up to, in their order. Raises Oversold."""
    holding = Holding()
    for fill in fills:
        holding = apply(holding, fill)
    return holding


def fold_fifo(fills: Iterable[HoldingFill]) -> FifoBook:
    """The lots that the fills leave, in their order. Raises Oversold."""
    book = FifoBook()
    for fill in fills:
        book = apply_fifo(book, fill)
    return book


@exact()
def market_value(held: Held, price: Decimal | None) -> Decimal | None:
    """What the holding would bring at `price`; None where the price is missing."""
    if not held.quantity:
        return _NONE
    return None if price is None else held.quantity * price


@exact()
def unrealized(held: Held, price: Decimal | None) -> Decimal | None:
    """Profit not yet taken, before fees; None where the price is missing, 0 for nothing held."""
    value = market_value(held, price)
    return None if value is None else value - held.cost_basis


def _released(holding: Holding, sold: Decimal) -> Decimal:
    """The cost of what is sold; the last sale takes all that is left, so that no crumb stays."""
    if sold > holding.quantity:
        raise Oversold(holding.quantity, sold)
    if sold == holding.quantity:
        return holding.cost_basis
    return _stored(holding.cost_basis * sold / holding.quantity)


def _without(lots: tuple[Lot, ...], sold: Decimal) -> tuple[tuple[Lot, ...], Decimal]:
    """The lots after a sale, and what the sold part had cost."""
    left, cost = sold, _NONE
    for index, lot in enumerate(lots):
        taken = min(lot.quantity, left)
        left, cost = left - taken, cost + taken * lot.price
        if not left:
            rest = Lot(lot.quantity - taken, lot.price)
            return ((rest, *lots[index + 1 :]) if rest.quantity else lots[index + 1 :]), cost
    raise Oversold(sum((lot.quantity for lot in lots), _NONE), sold)


def _average(cost: Decimal, quantity: Decimal) -> Decimal:
    """Cost per unit; 0 for nothing held, which is not a price."""
    with exact():
        return _stored(cost / quantity) if quantity else _NONE


def _stored(value: Decimal) -> Decimal:
    """Rounded to the places that are stored."""
    return value.quantize(_SMALLEST, ROUND_HALF_EVEN)
