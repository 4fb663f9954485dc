"""How an account is to be run: its limits, and what a bot may buy on its own."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from accounts.audit import actions as audit
from trading.brokers import actions as brokers
from trading.brokers.limits import Breach
from trading.brokers.models import Account, AccountLimits, AutoBuy

_LIMITS = ("max_daily_loss", "max_drawdown")
_AUTO_BUY = (
    "is_enabled",
    "notional",
    "max_open_positions",
    "instruments",
    "take_profit_percent",
    "stop_loss_percent",
)


def limit(
    *,
    account_id: UUID,
    max_daily_loss: Decimal | None,
    max_drawdown: Decimal | None,
    now: datetime,
) -> AccountLimits:
    """Set what the account may lose; None lifts a limit. Raises NotFound.

    The marks start anew: what was lost before a limit was there is not held against it, and an
    account that a limit had halted trades again.
    """
    account = brokers.lock(account_id)
    row = account.limits.first()
    before = _said(row, _LIMITS)
    row = row or AccountLimits(account=account, user_id=account.user_id)
    row.max_daily_loss, row.max_drawdown, row.updated_at = max_daily_loss, max_drawdown, now
    row.day_on = row.day_start = row.peak = row.last_equity = None
    _save(row)
    audit.record("account.limits_set", on=account, before=before, after=_said(row, _LIMITS))
    if account.status == Account.Status.HALTED and account.status_reason in set(Breach):
        brokers.resume(account, reason="limits_set", now=now)
    return row


def auto_buy(*, account_id: UUID, now: datetime, **asked: Any) -> AutoBuy:
    """Set what a bot of the account may buy on its own; `asked` are the row's fields.

    Raises NotFound.
    """
    account = brokers.lock(account_id)
    row = account.auto_buy.first()
    before = _said(row, _AUTO_BUY)
    row = row or AutoBuy(account=account, user_id=account.user_id)
    for name in _AUTO_BUY:
        setattr(row, name, asked[name])
    row.updated_at = now
    _save(row)
    audit.record("account.auto_buy_set", on=account, before=before, after=_said(row, _AUTO_BUY))
    return row


def _save(row: AccountLimits | AutoBuy) -> None:
    is_new = row._state.adding
    row.save(force_insert=is_new, force_update=not is_new)


def _said(row: AccountLimits | AutoBuy | None, names: tuple[str, ...]) -> dict[str, Any]:
    return {} if row is None else {name: getattr(row, name) for name in names}
