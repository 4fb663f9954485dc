"""What goes into matching: open orders, and the terms on which they are filled."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from trading.market.places import is_known
from trading.orders.costs import Costs
from trading.orders.outcomes import EndReason, Execution, Expiration, Outcome
from trading.records import record
from trading.values import Increments, OrderType, Side, TimeInForce

__all__ = [
    "EndReason",
    "Execution",
    "Expiration",
    "InvalidOrder",
    "Outcome",
    "Terms",
    "WorkingOrder",
]

# Not in the market until a price triggers them.
_CONDITIONAL = frozenset({OrderType.STOP, OrderType.STOP_LIMIT, OrderType.TRAILING_STOP})
_HAVE_A_LIMIT = frozenset({OrderType.LIMIT, OrderType.STOP_LIMIT})
_HAVE_A_STOP = frozenset({OrderType.STOP, OrderType.STOP_LIMIT})


class InvalidOrder(ValueError):
    """The order lacks what its type or its time in force needs."""

    code = "invalid_order"


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """On what terms an account trades an instrument.

    `participation` is the share of a bar's volume that one account's orders may take, at most 1.
    With `touch`, a price that reaches the limit fills it; without, it must go through.
    """

    costs: Costs
    increments: Increments
    participation: Decimal = Decimal("0.1")
    touch: bool = False

    def __post_init__(self) -> None:
        if not 0 < self.participation <= 1:
            raise ValueError("participation must be above 0 and at most 1")


@record(frozen=True, kw_only=True)
class WorkingOrder:
    """An open order as the market meets it. `remaining` is in the base asset, prices in the quote.

    `sequence` is its place in time among the account's orders. `matched_through` is the start of
    the newest bar that it has met or that was known when it came: only later bars match it; among
    ticks of that very moment, those with an id above `matched_trade`. `is_resting` says that it
    has met a bar, `is_triggered` that a bar has triggered it.

    `trail_percent` is a percentage of the water mark. `water_mark` begins at the price known when
    the order was placed; None stands for the first bar's open.

    `spendable` is what a buy may still cost in the quote currency, fee included; None sets no
    bound. `reducible` makes it reduce-only: the whole of the position that its side reduces, as it
    was before the bar. Both are kept up to date inside a call: siblings of a group draw on one
    sum, and all orders of the account on one position.

    Orders of one `group` share one quantity, and so one place in time, that of the first. A leg
    whose entry is not complete yet `waits_for` it; a leg that has started waits for None. `terms`
    are those it was placed on, and stand before the call's. A day order without `expires_at` ends
    with the session of its bar.
    """

    id: UUID
    account: UUID
    symbol: str
    side: Side
    type: OrderType
    remaining: Decimal
    sequence: int
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    trail_amount: Decimal | None = None
    trail_percent: Decimal | None = None
    water_mark: Decimal | None = None
    time_in_force: TimeInForce = TimeInForce.GTC
    expires_at: datetime | None = None
    post_only: bool = False
    matched_through: datetime | None = None
    matched_trade: int | None = None
    is_resting: bool = False
    is_triggered: bool = False
    spendable: Decimal | None = None
    reducible: Decimal | None = None
    group: UUID | None = None
    waits_for: UUID | None = None
    terms: Terms | None = None

    def __post_init__(self) -> None:
        if self.remaining <= 0:
            raise InvalidOrder("nothing remains to be filled")
        if self.type in _HAVE_A_LIMIT and not _is_positive(self.limit_price):
            raise InvalidOrder(f"a {self.type} order needs a positive limit price")
        if self.type in _HAVE_A_STOP and not _is_positive(self.stop_price):
            raise InvalidOrder(f"a {self.type} order needs a positive stop price")
        if self.type is OrderType.TRAILING_STOP:
            self._check_trail()
        if self.post_only and self.type is not OrderType.LIMIT:
            raise InvalidOrder("only a limit order can be post-only")
        if self.time_in_force is TimeInForce.GTD and self.expires_at is None:
            raise InvalidOrder("a good-till-date order needs its date")
        if self.reducible is not None and self.reducible < 0:
            raise InvalidOrder("less than nothing cannot be reduced")

    @property
    def is_conditional(self) -> bool:
        """Whether it is of a kind that a price triggers, triggered or not."""
        return self.type in _CONDITIONAL

    @property
    def is_in_market(self) -> bool:
        """Whether it can be filled without being triggered first."""
        return self.is_triggered or not self.is_conditional

    def knows(self, at: datetime, trade_id: int | None) -> bool:
        """Whether it has met the bar or tick of this moment, or came when that was known."""
        return is_known(at, trade_id, self.matched_through, self.matched_trade)

    def changed(self, **changes: Any) -> WorkingOrder:
        """What the engine has made of it. Unlike with `replace`, nothing is checked again."""
        copy = object.__new__(WorkingOrder)
        copy.__dict__ = self.__dict__ | changes
        return copy

    def _check_trail(self) -> None:
        given = [trail for trail in (self.trail_amount, self.trail_percent) if trail is not None]
        if len(given) != 1 or given[0] <= 0:
            raise InvalidOrder("a trailing stop needs a positive amount or a positive percentage")
        if self.trail_percent is not None and self.trail_percent >= 100:
            raise InvalidOrder("a trailing stop needs a percentage below 100")
        if self.water_mark is not None and self.water_mark <= 0:
            raise InvalidOrder("a water mark is a price, and positive")


def _is_positive(price: Decimal | None) -> bool:
    return price is not None and price > 0
