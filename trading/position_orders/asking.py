"""How much of a position, and how far under the market: what people ask for. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from trading.values import exact

DEFAULT_SLIPPAGE_BPS = Decimal(500)
_WHOLE_BPS = Decimal(10_000)
_WHOLE = Decimal(100)  # percent


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Of a position: a `quantity` in the base asset, or a `percent` of what is held."""

    quantity: Decimal | None = None
    percent: Decimal | None = None

    @exact()
    def of(self, held: Decimal) -> Decimal:
        """In the base asset, not yet on the instrument's steps; all of it if nothing was said."""
        if self.quantity is not None:
            return self.quantity
        return held if self.percent is None else held * self.percent / _WHOLE


@dataclass(frozen=True, slots=True, kw_only=True)
class Floor:
    """How far under the last price a limit may sell, in basis points; None for no check."""

    max_slippage_bps: Decimal | None = DEFAULT_SLIPPAGE_BPS

    @exact()
    def refuses(self, limit_price: Decimal, last: Decimal) -> bool:
        """Whether the limit is further under the last price than that."""
        if self.max_slippage_bps is None:
            return False
        return (last - limit_price) * _WHOLE_BPS > self.max_slippage_bps * last
