"""What may be done with accounts, and the steps of all that moves the money in them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from accounts.audit import actions as audit
from tenants import context
from tenants.identifiers import new_id
from trading.brokers.limits import Marks, shifted
from trading.brokers.models import Account, Balance, CashMovement
from trading.errors import (
    AccountClosed,
    AccountInUse,
    InsufficientFunds,
    NameTaken,
    NotFound,
    PaperOnly,
)
from trading.market.rates import rates
from trading.notifications import events
from trading.values import exact, plain

_TERMS = ("maker_bps", "taker_bps", "slippage_bps")
_OPENED = ("user_id", "name", "kind", "exchange", "currency", "cost_method", "is_default", *_TERMS)
_CHANGED = ("name", "is_default", *_TERMS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """What an account is opened with; fees and slippage in basis points, None for the house's."""

    name: str
    currency: str
    cost_method: str
    kind: str = Account.Kind.PAPER
    exchange: str = ""
    is_default: bool = False
    maker_bps: Decimal | None = None
    taker_bps: Decimal | None = None
    slippage_bps: Decimal | None = None


def open_account(*, user_id: UUID, opening: Opening, now: datetime) -> Account:
    """A new account. The first of a person is the default. Raises NameTaken.

    Raises NotFound for an API key that is good for one account only.
    """
    if bound_account() is not None:
        raise NotFound("This key is good for one account, and opens no other.")
    own = Account.objects.filter(user_id=user_id).exclude(status=Account.Status.CLOSED)
    if own.filter(name=opening.name).exists():
        raise NameTaken
    if opening.is_default:
        lock_in_order(own)
    default = opening.is_default or not own.filter(is_default=True).exists()
    if default:
        own.filter(is_default=True).update(is_default=False, updated_at=now)
    asked = {name: value for name, value in asdict(opening).items() if value is not None}
    account = Account(user_id=user_id, created_at=now, updated_at=now, **asked)
    account.is_default = default
    _save_new(account, must_be_default=opening.is_default)
    audit.record("account.opened", on=account, after=_said(account, _OPENED))
    return account


def change_account(
    *,
    account_id: UUID,
    now: datetime,
    precondition: Callable[[Account], None],
    name: str | None = None,
    is_default: bool | None = None,
    **terms: Decimal,
) -> Account:
    """Rename an account, make it the default, or change its `maker_bps`, `taker_bps` or
    `slippage_bps`: for orders placed from now on.

    Raises NotFound, AccountClosed or NameTaken. `precondition` sees the account under its lock,
    and raises to refuse the change.
    """
    account = _lock_among_own(account_id) if is_default else lock_open(account_id)
    precondition(account)
    before = _said(account, _CHANGED)
    others = _others(account)
    if name is not None:
        if others.filter(name=name).exists():
            raise NameTaken
        account.name = name
    if is_default:
        others.filter(is_default=True).update(is_default=False, updated_at=now)
        account.is_default = True
    for term, value in terms.items():
        setattr(account, term, value)
    account.updated_at = now
    account.save(update_fields=[*_CHANGED, "updated_at"])
    audit.record("account.changed", on=account, before=before, after=_said(account, _CHANGED))
    return account


def close_account(*, account_id: UUID, now: datetime) -> Account:
    """Close an account for good. Raises NotFound, AccountClosed, or AccountInUse with the reason.

    If it was the default, the oldest of the person's others is.
    """
    account = _lock_among_own(account_id)
    if account.orders.open().exists():
        raise AccountInUse("It has open orders: cancel them first.")
    if account.positions.filter(closed_at=None).exists():
        raise AccountInUse("It holds positions: close them first.")
    heir = _others(account).order_by("created_at", "id").first() if account.is_default else None
    before = {"status": account.status}
    account.status, account.status_reason = Account.Status.CLOSED, ""
    account.is_default, account.updated_at = False, now
    account.save(update_fields=["status", "status_reason", "is_default", "updated_at"])
    if heir is not None:
        Account.objects.filter(pk=heir.pk).update(is_default=True, updated_at=now)
    audit.record("account.closed", on=account, before=before, after={"status": account.status})
    return account


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


def _tell(account: Account, kind: str, reason: str, now: datetime) -> None:
    """The person's event: whether the account trades."""
    data = {"account": str(account.id), "status": account.status, "reason": reason}
    events.publish(user_id=account.user_id, kind=kind, data=data, now=now)


def _reason(reason: str) -> dict[str, str]:
    """For the trail."""
    return {"reason": reason}


def _lock_among_own(account_id: UUID) -> Account:
    """An open account, with the person's others: one of them is the default, or will be.

    Raises NotFound or AccountClosed.
    """
    owner = Account.objects.filter(pk=account_id).values("user_id")
    lock_in_order(Account.objects.filter(user_id__in=owner).exclude(status=Account.Status.CLOSED))
    return lock_open(account_id)


def _others(account: Account) -> QuerySet[Account]:
    """The person's other accounts that are not closed."""
    rows = Account.objects.filter(user_id=account.user_id)
    return rows.exclude(pk=account.pk).exclude(status=Account.Status.CLOSED)


def _said(account: Account, names: Iterable[str]) -> dict[str, Any]:
    return {name: getattr(account, name) for name in names}


def bound_account() -> UUID | None:
    """The only account that the caller's API key is good for; None for everybody else."""
    return context.require().actor.account_id


def acting_user() -> UUID:
    """The person of the context; jobs of the platform open no accounts. Raises NotFound."""
    user_id = context.require().actor.user_id
    if user_id is None:
        raise NotFound("Only a person has accounts.")
    return user_id
