"""What a path does to one order, and at which prices an order may be filled."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from trading.orders.working import Terms
from trading.records import record
from trading.values import Liquidity, Side, round_down, round_up


@record(frozen=True, slots=True)
class Meeting:
    """The market can fill an order at `price`; `name` says by which rule."""

    name: str
    price: Decimal
    liquidity: Liquidity
    at: datetime


@record(frozen=True, slots=True)
class Firing:
    """The market triggered an order at this level; of a trailing stop, below or above its mark."""

    at: datetime
    level: Decimal
    water_mark: Decimal | None = None


@record(frozen=True, slots=True)
class Encounter:
    """What a path does to an order, whatever the quantity; `water_mark` if it did not trigger."""

    meeting: Meeting | None = None
    firing: Firing | None = None
    water_mark: Decimal | None = None


UNTOUCHED = Encounter()


def fills(price: Decimal, limit: Decimal, side: Side, terms: Terms) -> bool:
    """Whether the market at `price` fills the limit: through it, or at it where a touch is enough.

    At exactly the limit others stand before us in the queue, so a touch alone proves nothing.
    """
    if price == limit:
        return terms.touch
    return price < limit if side is Side.BUY else price > limit


def against(side: Side, price: Decimal, terms: Terms) -> Decimal:
    """On the increment, rounded to the trader's disadvantage."""
    rounded = round_up if side is Side.BUY else round_down
    return rounded(price, terms.increments.price)


def within(price: Decimal, limit: Decimal, side: Side) -> Decimal:
    return min(price, limit) if side is Side.BUY else max(price, limit)
