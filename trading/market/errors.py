"""What the market's room says no to, by code."""

from config.api.errors import DomainError
from trading.errors import Refused


class UnknownInstrument(DomainError):
    code = "unknown_instrument"
    status = 404
    title = "There is no such instrument."


class TradeContradicted(DomainError):
    code = "trade_contradicted"
    status = 409
    title = "A trade with this id is known otherwise."


class RangeTooWide(Refused):
    code = "range_too_wide"
    title = "The range holds more bars than can be looked through at once."


class CalendarUnknown(Refused):
    code = "calendar_unknown"
    title = "When this instrument trades is known by the day only."


class ExchangeMissing(DomainError):
    code = "exchange_missing"
    status = 503
    title = "No exchange is named that market data could come from."


class ExchangeAway(DomainError):
    code = "exchange_away"
    status = 503
    title = "The exchange does not answer."


class ExchangeUnclear(DomainError):
    code = "exchange_unclear"
    status = 502
    title = "The exchange gave an answer that cannot be read."


class ExchangeRefused(DomainError):
    code = "exchange_refused"
    status = 502
    title = "The exchange refused to answer."


class NotAtExchange(DomainError):
    code = "not_at_exchange"
    status = 404
    title = "The exchange does not trade this instrument, or has no bars of this length."
