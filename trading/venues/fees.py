"""What a trade's fee does to the books, by the currency in which the exchange took it. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from trading.positions.pnl import HoldingFill
from trading.values import Side, exact
from trading.venues.differences import Flow
from trading.venues.facts import VenueTrade

_PLACES = Decimal(1).scaleb(-18)
_NONE = Decimal(0)


@dataclass(frozen=True, slots=True)
class Booking:
    """A trade as it comes into the position, what of the base was kept, and money apart from it.

    `held` has what the position gains or loses; its fee, in the quote currency, includes what
    `base_fee` is worth at the trade's price. So its cash is what the exchange moved.
    """

    held: HoldingFill
    base_fee: Decimal = _NONE
    apart: Flow | None = None


@exact()
def book(trade: VenueTrade, *, base: str, quote: str, spare: Decimal) -> Booking:
    """How a trade is booked. `spare` is what a sale may take of the position beyond its quantity.

    A rebate is no fee: it is money that came in.
    """
    if not trade.fee:
        return Booking(_held(trade, _NONE, _NONE))
    if trade.fee < 0 or trade.fee_currency not in (base, quote):
        return Booking(_held(trade, _NONE, _NONE), apart=Flow(trade.fee_currency, -trade.fee))
    if trade.fee_currency == quote:
        return Booking(_held(trade, _NONE, trade.fee))
    kept = trade.fee if trade.side is Side.BUY else min(trade.fee, spare)
    left = trade.fee - kept
    worth = (kept * trade.price).quantize(_PLACES)
    return Booking(_held(trade, kept, worth), kept, Flow(base, -left) if left else None)


def _held(trade: VenueTrade, base_fee: Decimal, fee: Decimal) -> HoldingFill:
    sign = -1 if trade.side is Side.BUY else 1
    return HoldingFill(trade.side, trade.quantity + sign * base_fee, trade.price, fee)
