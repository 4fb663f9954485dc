"""What the accounts' room says no to, by code."""

from config.api.errors import DomainError
from trading.errors import Refused


class InsufficientFunds(Refused):
    code = "insufficient_funds"
    title = "The account does not hold enough."


class AccountClosed(DomainError):
    code = "account_closed"
    status = 409
    title = "The account is closed."


class AccountInUse(DomainError):
    code = "account_in_use"
    status = 409
    title = "The account cannot be closed yet."


class PaperOnly(Refused):
    code = "paper_only"
    title = "Only a paper account does this; real money moves at the exchange."


class ExchangeOnly(Refused):
    code = "exchange_only"
    title = "Only an account at an exchange has credentials."


class CredentialsMissing(Refused):
    code = "credentials_missing"
    title = "The account has no credentials for its exchange."


class NameTaken(DomainError):
    code = "account_name_is_unique"
    status = 409
    title = "An account with this name exists already."
