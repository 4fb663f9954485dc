"""A position as a fold of its fills: average cost, or lots first in first out. Long only.

Money is in the quote currency. Realised profit is before fees, which are counted beside it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
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


@exact()
def apply(holding: Holding, fill: HoldingFill, *, cost: Decimal | None = None) -> Holding:
    """The holding after a fill; `cost` is what a sale's part had cost, None for the average.

    The last sale takes all the cost that is left, so that no crumb stays. Raises Oversold.
    """
    value = fill.quantity * fill.price
    if fill.side is Side.BUY:
        quantity, basis, gain = holding.quantity + fill.quantity, holding.cost_basis + value, _NONE
    else:
        released = _released(holding, fill.quantity, cost)
        quantity, basis = holding.quantity - fill.quantity, holding.cost_basis - released
        gain = value - released
    return Holding(
        quantity=quantity,
        average_price=_average(basis, quantity),
        cost_basis=basis,
        realized_pnl=holding.realized_pnl + gain,
        fees=holding.fees + fill.fee,
    )


@exact()
def taken(lots: Iterable[Lot], sold: Decimal) -> list[Lot]:
    """What a sale takes of each lot, the oldest first. Raises Oversold."""
    takings, left = [], sold
    for lot in lots:
        takings.append(Lot(min(lot.quantity, left), lot.price))
        left -= takings[-1].quantity
        if not left:
            return takings
    raise Oversold(sold - left, sold)


@exact()
def cost_of(lots: Iterable[Lot]) -> Decimal:
    """What the lots cost, in the quote currency."""
    return _stored(sum((lot.quantity * lot.price for lot in lots), _NONE))


def fold(fills: Iterable[HoldingFill]) -> Holding:
    """The holding that the fills add up to, in their order. Raises Oversold."""
    holding = Holding()
    for fill in fills:
        holding = apply(holding, fill)
    return holding


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


def _released(holding: Holding, sold: Decimal, cost: Decimal | None) -> Decimal:
    """The cost of what is sold, by lots or by the average."""
    if sold > holding.quantity:
        raise Oversold(holding.quantity, sold)
    if sold == holding.quantity:
        return holding.cost_basis
    return _stored(holding.cost_basis * sold / holding.quantity) if cost is None else cost


def _average(cost: Decimal, quantity: Decimal) -> Decimal:
    """Cost per unit; 0 for nothing held, which is not a price."""
    with exact():
        return _stored(cost / quantity) if quantity else _NONE


def _stored(value: Decimal) -> Decimal:
    """Rounded to the places that are stored."""
    return value.quantize(_SMALLEST, ROUND_HALF_EVEN)
