"""What is refused before an order is taken: numbers that cannot be meant. Pure."""

from __future__ import annotations

from decimal import Decimal

from trading.orders.instructions import Instruction
from trading.values import Side, exact

# A limit that gives this many times what the market asks for is a slip of the finger.
BAND = Decimal(10)
OPEN_ORDERS = 1_000  # an account


@exact()
def out_of_band(asked: Instruction, last: Decimal | None) -> bool:
    """Whether the limit is far on the wrong side of the market, where it would cost money at once.

    The market is the stop's price where there is one, else the last; a limit that waits far away on
    the other side does no harm.
    """
    market = asked.stop_price or last
    if asked.limit_price is None or market is None:
        return False
    if asked.side is Side.BUY:
        return asked.limit_price > market * BAND
    return asked.limit_price < market / BAND
