"""What the positions' room says no to, by code."""

from trading.errors import Refused


class InsufficientPosition(Refused):
    code = "insufficient_position"
    title = "The account does not hold that much of the instrument."
