"""What may be done with an account's money, and the steps of all that touches its books."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db.models import QuerySet

from accounts.audit import actions as audit
from tenants import context
from tenants.identifiers import new_id
from trading.brokers.errors import (
    AccountClosed,
    InsufficientFunds,
    PaperOnly,
)
from trading.brokers.limits import Marks, shifted
from trading.brokers.models import Account, Balance, CashMovement
from trading.errors import NotFound
from trading.market.rates import rates
from trading.notifications import events
from trading.values import exact, plain


def halt(*, account_id: UUID, reason: str, now: datetime) -> None:
    """Stop an account from trading, and tell its person.

    Its orders stay as they are, and can be cancelled.
    """
    halted = {"status": Account.Status.HALTED, "status_reason": reason, "updated_at": now}
    active = Account.objects.filter(pk=account_id, status=Account.Status.ACTIVE)
    if active.update(**halted):
        audit.record("account.halted", kind="account", key=str(account_id), after=_reason(reason))
        _tell(Account.objects.get(pk=account_id), "account.halted", reason, now)


def resume(account: Account, *, reason: str, now: datetime) -> None:
    """Let a halted, locked account trade again, and tell its person; `reason` says why it may."""
    before = _reason(account.status_reason)
    account.status, account.status_reason, account.updated_at = Account.Status.ACTIVE, "", now
    account.save(update_fields=["status", "status_reason", "updated_at"])
    audit.record("account.resumed", on=account, before=before, after=_reason(reason))
    _tell(account, "account.resumed", reason, now)


def note_caught_up(account: Account, *, returned_at: datetime | None) -> None:
    """Of a locked account: it has met all that passed its tenant by before that return."""
    account.returned_at = returned_at
    account.save(update_fields=["returned_at"])


def deposit(*, account_id: UUID, currency: str, amount: Decimal, now: datetime) -> Balance:
    """Put money in. `amount` is positive, in `currency`.

    Raises NotFound, AccountClosed, or PaperOnly: real money goes in at the exchange.
    """
    account = lock_paper(account_id)
    balance = balance_of(account, currency)
    move(balance, free=amount, now=now)
    flow(account, currency, amount, now=now)
    _audit_money("account.deposited", account, currency, amount)
    return balance


@exact()
def withdraw(*, account_id: UUID, currency: str, amount: Decimal, now: datetime) -> Balance:
    """Take free money out. Raises NotFound, AccountClosed, PaperOnly or InsufficientFunds."""
    account = lock_paper(account_id)
    balance = balance_of(account, currency)
    move(balance, free=-amount, now=now)
    flow(account, currency, -amount, now=now)
    _audit_money("account.withdrawn", account, currency, amount)
    return balance


def lock(account_id: UUID) -> Account:
    """The account, locked until commit: the first lock of everything that touches its books.

    Raises NotFound for an account that is not there, not the caller's, or not the one that the
    caller's API key is good for.
    """
    only = bound_account()
    if only not in (None, account_id):
        raise NotFound("There is no such account.")
    account = Account.objects.select_for_update().filter(pk=account_id).first()
    if account is None:
        raise NotFound("There is no such account.")
    return account


def lock_open(account_id: UUID) -> Account:
    """The same, for an account that is not closed. Raises NotFound or AccountClosed."""
    account = lock(account_id)
    if account.status == Account.Status.CLOSED:
        raise AccountClosed
    return account


def lock_in_order(accounts: QuerySet[Account]) -> list[Account]:
    """Several accounts, locked until commit in the house's order: by id.

    Whoever locks more than one does it here, or one after the other in the same order: two who come
    from different ends would wait for each other.
    """
    return list(accounts.select_for_update().order_by("id"))


def lock_paper(account_id: UUID) -> Account:
    """The same, for a paper account. Raises NotFound, AccountClosed or PaperOnly."""
    account = lock_open(account_id)
    if not account.is_paper:
        raise PaperOnly
    return account


def balance_of(account: Account, currency: str) -> Balance:
    """The account's balance in a currency, locked; a new one is empty."""
    balance = Balance.objects.select_for_update().filter(account=account, currency=currency)
    found = balance.first()
    if found is None:
        found = Balance(account=account, user_id=account.user_id, currency=currency)
        found.save(force_insert=True)
    return found


@exact()
def move(
    balance: Balance,
    *,
    now: datetime,
    free: Decimal = Decimal(0),
    locked: Decimal = Decimal(0),
) -> None:
    """Change the free and locked parts of a locked balance, and tell its person.

    Raises InsufficientFunds below zero.
    """
    balance.free += free
    balance.locked += locked
    balance.total = balance.free + balance.locked
    if balance.free < 0 or balance.locked < 0:
        raise InsufficientFunds(f"Not enough free {balance.currency} in this account.")
    balance.save(update_fields=["free", "locked", "total"])
    amounts = {name: plain(getattr(balance, name)) for name in ("total", "free", "locked")}
    about = {"account": str(balance.account_id), "currency": balance.currency}
    events.publish_state(
        user_id=balance.user_id, kind="balance.changed", about=about, state=amounts, now=now
    )


@exact()
def flow(
    account: Account, currency: str, amount: Decimal, *, now: datetime, key: UUID | None = None
) -> None:
    """Note money that came or, negative, went: what is measured against limits moves along.

    `key` is the movement's id where the same one must not be noted twice.
    """
    movement = CashMovement(
        id=key or new_id(),
        account=account,
        user_id=account.user_id,
        currency=currency,
        amount=amount,
        created_at=now,
    )
    movement.save(force_insert=True)
    limits = account.limits.first()
    rate = None if limits is None else rates([currency], account.currency)[currency]
    if limits is not None and rate is not None:
        marks = Marks(limits.day_on, limits.day_start, limits.peak, limits.last_equity)
        marks = shifted(marks, amount * rate)
        limits.day_start, limits.peak, limits.last_equity = marks.day_start, marks.peak, marks.last
        limits.save(update_fields=["day_start", "peak", "last_equity"])


def _audit_money(action: str, account: Account, currency: str, amount: Decimal) -> None:
    audit.record(action, on=account, after={"currency": currency, "amount": amount})


def _tell(account: Account, kind: str, reason: str, now: datetime) -> None:
    """The person's event: whether the account trades."""
    data = {"account": str(account.id), "status": account.status, "reason": reason}
    events.publish(user_id=account.user_id, kind=kind, data=data, now=now)


def _reason(reason: str) -> dict[str, str]:
    """For the trail."""
    return {"reason": reason}


def bound_account() -> UUID | None:
    """The only account that the caller's API key is good for; None for everybody else."""
    return context.require().actor.account_id


def acting_user() -> UUID:
    """The person of the context; jobs of the platform open no accounts. Raises NotFound."""
    user_id = context.require().actor.user_id
    if user_id is None:
        raise NotFound("Only a person has accounts.")
    return user_id
