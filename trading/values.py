"""The words and numbers of the trade: sides, order types, increments, exact decimals."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import (
    ROUND_CEILING,
    ROUND_FLOOR,
    ROUND_HALF_EVEN,
    Context,
    Decimal,
    getcontext,
    setcontext,
)
from enum import StrEnum
from functools import wraps
from typing import ParamSpec, TypeVar

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

_P = ParamSpec("_P")
_R = TypeVar("_R")


class Word(StrEnum):
    """A word of the trade. It hashes as its text does, without a call into Python."""

    __hash__ = str.__hash__


class Side(Word):
    BUY = "buy"
    SELL = "sell"


class OrderType(Word):
    MARKET = "market"
    LIMIT = "limit"
    STOP = "stop"
    STOP_LIMIT = "stop_limit"
    TRAILING_STOP = "trailing_stop"


class TimeInForce(Word):
    GTC = "gtc"
    IOC = "ioc"
    FOK = "fok"
    DAY = "day"
    GTD = "gtd"


class Liquidity(Word):
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


class exact:  # noqa: N801  # read as the contexts of the standard library are
    """Decimal arithmetic wide enough for money, whatever context the calling thread has set.

    `with exact():` around a block, `@exact()` around a function: one that is called where it holds
    already costs next to nothing. All threads share the one context, so it is not to be changed.
    """

    _outside: Context

    def __enter__(self) -> None:
        self._outside = getcontext()
        setcontext(_WIDE)

    def __exit__(self, *_: object) -> None:
        setcontext(self._outside)

    def __call__(self, function: Callable[_P, _R]) -> Callable[_P, _R]:
        @wraps(function)
        def exactly(*args: _P.args, **kwargs: _P.kwargs) -> _R:
            outside = getcontext()
            if outside is _WIDE:
                return function(*args, **kwargs)
            setcontext(_WIDE)
            try:
                return function(*args, **kwargs)
            finally:
                setcontext(outside)

        return exactly


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
