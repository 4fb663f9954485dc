"""What orders about a position are refused for, besides what any order is."""

from __future__ import annotations

from config.api.errors import DomainError
from trading.errors import Refused


class PositionClosed(DomainError):
    code = "position_closed"
    status = 409
    title = "The position is closed."


class SlippageTooHigh(Refused):
    code = "slippage_too_high"
    title = "The limit is too far under the last price."
