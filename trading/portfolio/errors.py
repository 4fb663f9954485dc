"""What questions about a portfolio, and names of one, are refused for."""

from __future__ import annotations

from config.api.errors import DomainError
from trading.errors import Refused


class TooManyPoints(Refused):
    code = "too_many_points"
    title = "The range has more points at this interval than are given at once."


class TooManyRows(Refused):
    code = "too_many_rows"
    title = "The statement has more rows than are given at once."


class PortfolioNameTaken(DomainError):
    code = "portfolio_name_is_unique"
    status = 409
    title = "A portfolio with this name exists already."
