"""Index of the rooms' models, for Django."""

from trading.brokers.models import (
    Account,
    AccountLimits,
    AutoBuy,
    Balance,
    CashMovement,
    ExchangeCredential,
)
from trading.idempotency.models import IdempotentRequest
from trading.orders.models import Fill, Order
from trading.positions.models import Position

__all__ = [
    "Account",
    "AccountLimits",
    "AutoBuy",
    "Balance",
    "CashMovement",
    "ExchangeCredential",
    "Fill",
    "IdempotentRequest",
    "Order",
    "Position",
]
