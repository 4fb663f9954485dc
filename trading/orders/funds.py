"""What an open order locks: money in the quote currency for a buy; for a sell, its quantity."""

from __future__ import annotations

from decimal import Decimal

from trading.values import MONEY_INCREMENT, exact, quantise_quantity, round_up

# How far the market may open above the last price before a market buy outgrows its lock.
MARKET_BUFFER = Decimal("0.05")
_BASIS_POINTS = Decimal(10_000)


@exact()
def limit_buy(quantity: Decimal, limit_price: Decimal, fee_bps: Decimal) -> Decimal:
    """The most that `quantity` can cost at the limit; `fee_bps` is the higher of the two fees."""
    return _with_fee(quantity * limit_price, fee_bps)


@exact()
def market_buy(quantity: Decimal, reference_price: Decimal, fee_bps: Decimal) -> Decimal:
    """What `quantity` costs at the last price, with room for the market to move.

    More than room for any move there can't be: matching is given what is locked as `spendable`.
    """
    return _with_fee(quantity * reference_price * (1 + MARKET_BUFFER), fee_bps)


@exact()
def notional_buy(notional: Decimal, fee_bps: Decimal) -> Decimal:
    """What an order for a sum of money locks: that sum, and the fee on it."""
    return _with_fee(notional, fee_bps)


@exact()
def quantity_of(notional: Decimal, price: Decimal, quantity_increment: Decimal) -> Decimal:
    """The base quantity that a sum in the quote currency stands for, down to the increment."""
    return quantise_quantity(notional / price, quantity_increment)


def _with_fee(notional: Decimal, fee_bps: Decimal) -> Decimal:
    return round_up(notional * (1 + fee_bps / _BASIS_POINTS), MONEY_INCREMENT)
