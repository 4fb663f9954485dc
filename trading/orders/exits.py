"""Whether the exits beside an order lie where they can do what they are for. Pure.

Exits sell: the take-profit above what was paid, the stop-loss below. What was paid is the entry's
own price where it has one, and else the last one; an OCO stands on both sides of the last.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from trading.orders.instructions import Instruction, StopLoss
from trading.values import OrderType, plain


def faults(asked: Instruction) -> Iterator[str]:
    """What is wrong by the prices that were given alone, in sentences that say what to change."""
    if not asked.is_oco and not asked.has_legs:
        return
    profit = asked.limit_price if asked.is_oco else asked.take_profit
    yield from _not_positive(profit, asked.stop_loss)
    if profit is not None and asked.stop_loss is not None:
        yield from _crossed(profit, asked.stop_loss)
    if asked.stop_loss is not None:
        yield from _unreachable(asked.stop_loss)
    if not asked.is_oco:
        for name, price in _own_prices(asked):
            yield from _one_sided(asked, name, price)


def misplaced(asked: Instruction, last: Decimal | None) -> Iterator[str]:
    """What is wrong by the market's last price, for what has no price of its own to go by."""
    if last is None:
        return
    if asked.is_oco and asked.limit_price is not None:
        if asked.limit_price <= last:
            yield f"Put limit_price above the last price of {plain(last)}."
        yield from _stop_not_below(asked.stop_loss, "the last price of", last)
    elif asked.type is OrderType.MARKET:
        yield from _one_sided(asked, "the last price of", last)


def _own_prices(asked: Instruction) -> Iterator[tuple[str, Decimal]]:
    """At which an entry buys: a stop-limit between the two."""
    if asked.stop_price is not None:
        yield "stop_price", asked.stop_price
    if asked.limit_price is not None:
        yield "limit_price", asked.limit_price


def _one_sided(asked: Instruction, name: str, price: Decimal) -> Iterator[str]:
    if asked.take_profit is not None and asked.take_profit <= price:
        yield f"Put take_profit.limit_price above {name} {plain(price)}."
    yield from _stop_not_below(asked.stop_loss, name, price)


def _stop_not_below(stop: StopLoss | None, name: str, price: Decimal) -> Iterator[str]:
    if stop is not None and stop.stop_price >= price:
        yield f"Put stop_loss.stop_price below {name} {plain(price)}."


def _crossed(profit: Decimal, stop: StopLoss) -> Iterator[str]:
    if stop.stop_price >= profit:
        yield f"Put stop_loss.stop_price below the take-profit of {plain(profit)}."


def _unreachable(stop: StopLoss) -> Iterator[str]:
    """A stop-limit that sells for no less than its limit has to sell at its stop."""
    if stop.limit_price is not None and stop.limit_price > stop.stop_price:
        yield "Put stop_loss.limit_price at or below stop_loss.stop_price."


def _not_positive(profit: Decimal | None, stop: StopLoss | None) -> Iterator[str]:
    prices = [profit] if stop is None else [profit, stop.stop_price, stop.limit_price]
    if any(price is not None and price <= 0 for price in prices):
        yield "Prices are greater than zero."
