"""Money put into a paper account, and taken out of it."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from accounts.audit import actions as audit
from trading.brokers import actions
from trading.brokers.models import Account, Balance
from trading.values import exact


def deposit(*, account_id: UUID, currency: str, amount: Decimal, now: datetime) -> Balance:
    """Put money in. `amount` is positive, in `currency`.

    Raises NotFound, AccountClosed, or PaperOnly: real money goes in at the exchange.
    """
    account = actions.lock_paper(account_id)
    balance = actions.balance_of(account, currency)
    actions.move(balance, free=amount, now=now)
    actions.flow(account, currency, amount, now=now)
    _record("account.deposited", account, currency, amount)
    return balance


@exact()
def withdraw(*, account_id: UUID, currency: str, amount: Decimal, now: datetime) -> Balance:
    """Take free money out. Raises NotFound, AccountClosed, PaperOnly or InsufficientFunds."""
    account = actions.lock_paper(account_id)
    balance = actions.balance_of(account, currency)
    actions.move(balance, free=-amount, now=now)
    actions.flow(account, currency, -amount, now=now)
    _record("account.withdrawn", account, currency, amount)
    return balance


def _record(action: str, account: Account, currency: str, amount: Decimal) -> None:
    audit.record(action, on=account, after={"currency": currency, "amount": amount})
