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
from trading.notifications.models import Notification, NotificationCursor
from trading.orders.models import Fill, Order, VenueIntent
from trading.portfolio.models import EquityPoint, NamedPortfolio, NamedPortfolioAccount
from trading.positions.models import (
    BracketTerms,
    DecisionLog,
    PerpetualTerms,
    Position,
    PositionLot,
)
from trading.venues.models import Reconciliation

__all__ = [
    "Account",
    "AccountLimits",
    "AutoBuy",
    "Balance",
    "BracketTerms",
    "CashMovement",
    "DecisionLog",
    "EquityPoint",
    "ExchangeCredential",
    "Fill",
    "IdempotentRequest",
    "NamedPortfolio",
    "NamedPortfolioAccount",
    "Notification",
    "NotificationCursor",
    "Order",
    "PerpetualTerms",
    "Position",
    "PositionLot",
    "Reconciliation",
    "VenueIntent",
]
