"""The actions about accounts themselves: open, change, close."""

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
from trading.brokers import actions
from trading.brokers.errors import AccountInUse, NameTaken
from trading.brokers.models import Account
from trading.errors import NotFound

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
    if actions.bound_account() is not None:
        raise NotFound("This key is good for one account, and opens no other.")
    own = Account.objects.filter(user_id=user_id).exclude(status=Account.Status.CLOSED)
    if own.filter(name=opening.name).exists():
        raise NameTaken
    if opening.is_default:
        actions.lock_in_order(own)
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
    account = _lock_among_own(account_id) if is_default else actions.lock_open(account_id)
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


def _lock_among_own(account_id: UUID) -> Account:
    """An open account, with the person's others: one of them is the default, or will be.

    Raises NotFound or AccountClosed.
    """
    owner = Account.objects.filter(pk=account_id).values("user_id")
    actions.lock_in_order(
        Account.objects.filter(user_id__in=owner).exclude(status=Account.Status.CLOSED)
    )
    return actions.lock_open(account_id)


def _others(account: Account) -> QuerySet[Account]:
    """The person's other accounts that are not closed."""
    rows = Account.objects.filter(user_id=account.user_id)
    return rows.exclude(pk=account.pk).exclude(status=Account.Status.CLOSED)


def _said(account: Account, names: Iterable[str]) -> dict[str, Any]:
    return {name: getattr(account, name) for name in names}
