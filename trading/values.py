"""The words and numbers of the trade: sides, order types, increments, exact decimals."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Context, Decimal, localcontext
from enum import StrEnum

# How every amount is stored: numeric(38, 18).
MAX_DIGITS = 38
DECIMAL_PLACES = 18
# The first number with more digits before the point than there is room for.
TOO_LARGE = Decimal(10) ** (MAX_DIGITS - DECIMAL_PLACES)
# Money is moved in steps of this size, in any currency.
MONEY_INCREMENT = Decimal("0.00000001")

# Two stored amounts multiply to at most 76 digits: with these, no product is ever rounded.
_WIDE = Context(prec=2 * MAX_DIGITS + 4)
# A float keeps 15 digits; what differs less than this is the same number to whoever sent it.
_FLOAT_NOISE = Decimal("1e-15")
_NOISE_IN_INCREMENTS = Decimal("0.001")


class Side(StrEnum):
    BUY = "buy"
    SELL = "sell"


class OrderType(StrEnum):
    MARKET = "market"
    LIMIT = "limit"
    STOP = "stop"
    STOP_LIMIT = "stop_limit"
    TRAILING_STOP = "trailing_stop"


class TimeInForce(StrEnum):
    GTC = "gtc"
    IOC = "ioc"
    FOK = "fok"
    DAY = "day"
    GTD = "gtd"


class Liquidity(StrEnum):
    MAKER = "maker"
    TAKER = "taker"


@dataclass(frozen=True, slots=True)
class Increments:
    """The steps of an instrument: `price` in the quote currency, `quantity` in the base asset."""

    price: Decimal
    quantity: Decimal

    def __post_init__(self) -> None:
        if self.price <= 0 or self.quantity <= 0:
            raise ValueError("increments must be positive")


@contextmanager
def exact() -> Iterator[None]:
    """Decimal arithmetic wide enough for money, whatever context the calling thread has set."""
    with localcontext(_WIDE):
        yield


def quantise_price(price: Decimal, increment: Decimal) -> Decimal:
    """The multiple of `increment` nearest to `price`; a tie goes to the even one."""
    return _steps(price, increment, ROUND_HALF_EVEN)


@exact()
def quantise_quantity(quantity: Decimal, increment: Decimal) -> Decimal:
    """The multiple of `increment` not above `quantity`, save for float noise.

    A client's 0.7 + 0.1 arrives as 0.7999999999999999, and means 0.8.
    """
    nearest = _steps(quantity, increment, ROUND_HALF_EVEN)
    noise = min(abs(quantity) * _FLOAT_NOISE, increment * _NOISE_IN_INCREMENTS)
    if abs(quantity - nearest) <= noise:
        return nearest
    return _steps(quantity, increment, ROUND_FLOOR)


def round_up(value: Decimal, increment: Decimal) -> Decimal:
    """The multiple of `increment` at or above `value`."""
    return _steps(value, increment, ROUND_CEILING)


def round_down(value: Decimal, increment: Decimal) -> Decimal:
    """The multiple of `increment` at or below `value`."""
    return _steps(value, increment, ROUND_FLOOR)


def plain(value: Decimal) -> str:
    """The value in digits, without exponent, trailing zeros or a minus before zero."""
    return format(value.normalize(_WIDE), "f") if value else "0"


def _steps(value: Decimal, increment: Decimal, rounding: str) -> Decimal:
    steps = _WIDE.divide(value, increment).to_integral_value(rounding, _WIDE)
    return _WIDE.multiply(steps, increment)
