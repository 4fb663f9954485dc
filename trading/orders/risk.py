"""What is refused before an order is taken: numbers that cannot be meant. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from trading.orders.instructions import Instruction
from trading.values import OrderType, Side, exact

# A limit this many times the last price, or that small a part of it, is a slip of the finger.
BAND = Decimal(10)
OPEN_ORDERS = 1_000  # an account


@exact()
def out_of_band(asked: Instruction, last: Decimal | None) -> list[str]:
    """Names of prices that are too far from the last one; none without a last price."""
    if last is None:
        return []
    return [name for name, price in _prices(asked) if not last / BAND <= price <= last * BAND]


def _prices(asked: Instruction) -> Iterator[tuple[str, Decimal]]:
    """Those that would cost money if they were wrong: not a sale's limit far above the market."""
    if asked.limit_price is not None and not _is_patient(asked):
        yield "limit_price", asked.limit_price
    if asked.stop_price is not None:
        yield "stop_price", asked.stop_price
    if asked.stop_loss is not None:
        yield "stop_loss.stop_price", asked.stop_loss.stop_price


def _is_patient(asked: Instruction) -> bool:
    return asked.type is OrderType.LIMIT and asked.side is Side.SELL
