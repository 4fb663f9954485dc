"""What an account pays to trade: fees and slippage in basis points."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from trading.values import MONEY_INCREMENT, Liquidity, Side, exact, round_down

_BASIS_POINT, _WHOLE = Decimal("0.0001"), Decimal(10_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    """One basis point is a hundredth of a percent."""

    maker_bps: Decimal = Decimal(0)
    taker_bps: Decimal = Decimal(0)
    slippage_bps: Decimal = Decimal(0)

    def __post_init__(self) -> None:
        if min(self.maker_bps, self.taker_bps, self.slippage_bps) < 0:
            raise ValueError("costs must not be negative")
        if self.slippage_bps >= _WHOLE:
            raise ValueError("slippage must leave something of the price")

    def rate(self, liquidity: Liquidity) -> Decimal:
        """The fee as a fraction of the notional."""
        bps = self.maker_bps if liquidity is Liquidity.MAKER else self.taker_bps
        return bps * _BASIS_POINT


@exact()
def fee(notional: Decimal, liquidity: Liquidity, costs: Costs) -> Decimal:
    """The fee on a notional, both in the quote currency.

    Rounded down, so that the fees of many partial fills never exceed what was locked for the whole.
    """
    return round_down(notional * costs.rate(liquidity), MONEY_INCREMENT)


@exact()
def slipped(price: Decimal, side: Side, costs: Costs) -> Decimal:
    """The price moved against the trader by the slippage, not yet on an increment."""
    if not costs.slippage_bps:
        return price
    move = price * costs.slippage_bps * _BASIS_POINT
    return price + move if side is Side.BUY else price - move
