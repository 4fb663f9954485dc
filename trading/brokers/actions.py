"""What may be done with accounts and the money in them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction

from accounts.audit import actions as audit
from tenants import context
from trading.brokers.models import Account, Balance, CashMovement
from trading.errors import InsufficientFunds, NameTaken, NotFound
from trading.values import exact

_OPENED = ("user_id", "name", "kind", "currency", "cost_method", "is_default")
_CHANGED = ("name", "is_default")


def open_account(
    *, user_id: UUID, name: str, currency: str, cost_method: str, is_default: bool, now: datetime
) -> Account:
    """A paper account. The first of a person is the default. Raises NameTaken.

    Raises NotFound for an API key that is good for one account only.
    """
    if context.require().actor.account_id is not None:
        raise NotFound("This key is good for one account, and opens no other.")
    own = Account.objects.filter(user_id=user_id)
    if own.filter(name=name).exists():
        raise NameTaken
    default = is_default or not own.filter(is_default=True).exists()
    if default:
        own.filter(is_default=True).update(is_default=False, updated_at=now)
    account = Account(
        user_id=user_id,
        name=name,
        currency=currency,
        cost_method=cost_method,
        is_default=default,
        created_at=now,
        updated_at=now,
    )
    _save_new(account, must_be_default=is_default)
    audit.record("account.opened", on=account, after=_said(account, _OPENED))
    return account


def change_account(
    *,
    account_id: UUID,
    now: datetime,
    precondition: Callable[[Account], None],
    name: str | None = None,
    is_default: bool | None = None,
) -> Account:
    """Rename an account or make it the default. Raises NotFound or NameTaken.

    `precondition` sees the account under its lock, and raises to refuse the change.
    """
    account = lock(account_id)
    precondition(account)
    before = _said(account, _CHANGED)
    others = Account.objects.filter(user_id=account.user_id).exclude(pk=account.pk)
    if name is not None:
        if others.filter(name=name).exists():
            raise NameTaken
        account.name = name
    if is_default:
        others.filter(is_default=True).update(is_default=False, updated_at=now)
        account.is_default = True
    account.updated_at = now
    account.save(update_fields=["name", "is_default", "updated_at"])
    audit.record("account.changed", on=account, before=before, after=_said(account, _CHANGED))
    return account


def halt(*, account_id: UUID, now: datetime) -> None:
    """Stop an account from trading; its orders stay as they are, and can be cancelled."""
    halted = {"status": Account.Status.HALTED, "updated_at": now}
    if Account.objects.filter(pk=account_id).update(**halted):
        audit.record("account.halted", kind="account", key=str(account_id))


def deposit(*, account_id: UUID, currency: str, amount: Decimal, now: datetime) -> Balance:
    """Put money in. `amount` is positive, in `currency`. Raises NotFound."""
    account = lock(account_id)
    balance = balance_of(account, currency)
    move(balance, free=amount)
    _record(account, currency, amount, now)
    _audit_money("account.deposited", account, currency, amount)
    return balance


@exact()
def withdraw(*, account_id: UUID, currency: str, amount: Decimal, now: datetime) -> Balance:
    """Take free money out. Raises NotFound or InsufficientFunds."""
    account = lock(account_id)
    balance = balance_of(account, currency)
    move(balance, free=-amount)
    _record(account, currency, -amount, now)
    _audit_money("account.withdrawn", account, currency, amount)
    return balance


def lock(account_id: UUID) -> Account:
    """The account, locked until commit: the first lock of everything that touches its books.

    Raises NotFound for an account that is not there, not the caller's, or not the one that the
    caller's API key is good for.
    """
    only = context.require().actor.account_id
    if only not in (None, account_id):
        raise NotFound("There is no such account.")
    account = Account.objects.select_for_update().filter(pk=account_id).first()
    if account is None:
        raise NotFound("There is no such account.")
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
def move(balance: Balance, *, free: Decimal = Decimal(0), locked: Decimal = Decimal(0)) -> None:
    """Change the free and locked parts of a locked balance. Raises InsufficientFunds below zero."""
    balance.free += free
    balance.locked += locked
    balance.total = balance.free + balance.locked
    if balance.free < 0 or balance.locked < 0:
        raise InsufficientFunds(f"Not enough free {balance.currency} in this account.")
    balance.save(update_fields=["free", "locked", "total"])


def _save_new(account: Account, *, must_be_default: bool) -> None:
    try:
        with transaction.atomic():
            account.save(force_insert=True)
    except IntegrityError:
        if must_be_default or not account.is_default:
            raise
        # Another first account of this person won the race: this one is not the default.
        account.is_default = False
        account.save(force_insert=True)


def _record(account: Account, currency: str, amount: Decimal, now: datetime) -> None:
    movement = CashMovement(
        account=account,
        user_id=account.user_id,
        currency=currency,
        amount=amount,
        created_at=now,
    )
    movement.save(force_insert=True)


def _audit_money(action: str, account: Account, currency: str, amount: Decimal) -> None:
    audit.record(action, on=account, after={"currency": currency, "amount": amount})


def _said(account: Account, names: Iterable[str]) -> dict[str, Any]:
    return {name: getattr(account, name) for name in names}


def acting_user() -> UUID:
    """The person of the context; jobs of the platform open no accounts. Raises NotFound."""
    user_id = context.require().actor.user_id
    if user_id is None:
        raise NotFound("Only a person has accounts.")
    return user_id
