"""One trade of an instrument, as its venue printed it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from trading.market.places import Place
from trading.values import TOO_LARGE, Side, plain

# Trade ids are stored as bigint.
_ID_LIMIT = 2**63


class InvalidTick(ValueError):
    """A tick that no market can have printed; the message says why."""

    code = "invalid_tick"


@dataclass(frozen=True, slots=True)
class Tick:
    """A trade `at` a moment (UTC): price in the quote currency, quantity in the base asset.

    `side` is the taker's. `trade_id` is the venue's, unique for the symbol, and orders the trades
    of one moment. Raises InvalidTick.
    """

    symbol: str
    at: datetime
    price: Decimal
    quantity: Decimal
    side: Side
    trade_id: int
    is_buyer_maker: bool

    def __post_init__(self) -> None:
        if self.at.utcoffset() != timedelta(0):
            raise InvalidTick("at is not in UTC")
        if not (self.price.is_finite() and self.quantity.is_finite()):
            raise InvalidTick("a number is not finite")
        if max(self.price, self.quantity) >= TOO_LARGE:
            raise InvalidTick("a number is too large")
        if self.price <= 0:
            raise InvalidTick("price is not positive")
        # A volume of 0 would mean that it is not known, and a trade's is known.
        if self.quantity <= 0:
            raise InvalidTick("quantity is not positive")
        if not 0 <= self.trade_id < _ID_LIMIT:
            raise InvalidTick("trade_id is out of range")

    # Matching meets a tick as the bar that is its one price.

    @property
    def start(self) -> datetime:
        return self.at

    @property
    def end(self) -> datetime:
        return self.at

    @property
    def place(self) -> Place:
        return Place(self.at, self.trade_id)

    @property
    def open(self) -> Decimal:
        return self.price

    @property
    def low(self) -> Decimal:
        return self.price

    @property
    def high(self) -> Decimal:
        return self.price

    @property
    def close(self) -> Decimal:
        return self.price

    def described(self) -> dict[str, object]:
        """The tick in JSON's terms, numbers as plain strings."""
        return {
            "symbol": self.symbol,
            "at": self.at.isoformat(),
            "price": plain(self.price),
            "quantity": plain(self.quantity),
            "side": self.side.value,
            "trade_id": self.trade_id,
            "is_buyer_maker": self.is_buyer_maker,
        }
