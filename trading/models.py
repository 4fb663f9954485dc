"""Index of the rooms' models, for Django."""

from trading.brokers.models import Account, Balance, CashMovement
from trading.idempotency.models import IdempotentRequest
from trading.orders.models import Fill, Order
from trading.positions.models import Position

__all__ = [
    "Account",
    "Balance",
    "CashMovement",
    "Fill",
    "IdempotentRequest",
    "Order",
    "Position",
]
