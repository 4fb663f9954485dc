"""What the orders' room says no to, by code."""

from config.api.errors import DomainError
from trading.errors import Refused


class NotTradable(Refused):
    code = "not_tradable"
    title = "This instrument is not traded."


class NoPrice(Refused):
    code = "no_price"
    title = "There is no price for this instrument yet."


class QuantityTooSmall(Refused):
    code = "quantity_too_small"
    title = "The quantity is below the instrument's minimum."


class PriceTooSmall(Refused):
    code = "price_too_small"
    title = "The price rounds to nothing."


class PriceOutOfBand(Refused):
    code = "price_out_of_band"
    title = "The price is too far from the last one to be meant."


class InvalidInstruction(Refused):
    code = "invalid_order"
    title = "The order contradicts itself."


class ExitMisplaced(Refused):
    code = "exit_misplaced"
    title = "A take-profit or stop-loss lies where it cannot do what it is for."


class TooManyOpenOrders(Refused):
    code = "too_many_open_orders"
    title = "The account has as many open orders as it may have."


class NothingToReduce(Refused):
    code = "nothing_to_reduce"
    title = "A reduce-only order finds no position that it could make smaller."


class LimitReached(DomainError):
    """An account's own limit says no; `code` is the limit's."""

    status = 409
    title = "The account has lost as much as its limits allow."


class DailyLossReached(LimitReached):
    code = "daily_loss_limit"


class DrawdownReached(LimitReached):
    code = "drawdown_limit"


class EquityUnknown(DomainError):
    code = "equity_unknown"
    status = 409
    title = "Nobody can tell what the account is worth, and so whether it has reached its limits."


class NotReplaceable(Refused):
    code = "not_replaceable"
    title = "This order cannot be changed so."


class AlreadyExpired(Refused):
    code = "already_expired"
    title = "expires_at has passed."


class UnsupportedOrder(Refused):
    code = "unsupported_order"
    title = "This kind of order is not accepted."


class ClientOrderIdReused(Refused):
    code = "client_order_id_reused"
    title = "This client_order_id belongs to another order."


class OrderNotOpen(DomainError):
    code = "order_not_open"
    status = 409
    title = "The order is no longer open."


class AccountHalted(DomainError):
    code = "account_halted"
    status = 409
    title = "The account is halted."
