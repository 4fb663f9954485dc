"""One bar of an instrument's history."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from trading.market.places import Place
from trading.market.timeframes import duration
from trading.values import TOO_LARGE, plain


class InvalidBar(ValueError):
    """A bar that contradicts itself; the message says how."""

    code = "invalid_bar"


@dataclass(frozen=True, slots=True)
class Bar:
    """What was traded from `start` (UTC) for one timeframe.

    Prices in the quote currency, volume in the base asset; a volume of 0 means it is not known.
    Raises InvalidBar and UnknownTimeframe.
    """

    symbol: str
    timeframe: str
    start: datetime
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal

    def __post_init__(self) -> None:
        duration(self.timeframe)
        if self.start.utcoffset() != timedelta(0):
            raise InvalidBar("start is not in UTC")
        numbers = (self.open, self.high, self.low, self.close, self.volume)
        if not all(number.is_finite() for number in numbers):
            raise InvalidBar("a number is not finite")
        if max(numbers) >= TOO_LARGE:
            raise InvalidBar("a number is too large")
        if self.low <= 0:
            raise InvalidBar("low is not positive")
        if self.volume < 0:
            raise InvalidBar("volume is negative")
        if not self.low <= min(self.open, self.close):
            raise InvalidBar("low is above open or close")
        if not self.high >= max(self.open, self.close):
            raise InvalidBar("high is below open or close")

    @property
    def end(self) -> datetime:
        """The moment after its last: the start of the next bar where trading goes on."""
        return self.start + duration(self.timeframe)

    @property
    def place(self) -> Place:
        return Place(self.start)

    def described(self) -> dict[str, str]:
        """The bar in JSON's terms, numbers as plain strings."""
        return {
            "symbol": self.symbol,
            "timeframe": self.timeframe,
            "start": self.start.isoformat(),
            "open": plain(self.open),
            "high": plain(self.high),
            "low": plain(self.low),
            "close": plain(self.close),
            "volume": plain(self.volume),
        }
