"""An account's own limits: what trading has lost is measured, and halts it when it is enough.

Equity is all that an account has, valued in its currency. Where a price is missing equity is
unknown: nothing is measured then, nobody is halted for it, and no order that buys is taken.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from trading.brokers import actions as brokers
from trading.brokers.limits import Breach, Limits, Marks, breach, moved
from trading.brokers.models import Account, AccountLimits
from trading.orders.errors import DailyLossReached, DrawdownReached, EquityUnknown
from trading.positions import priced
from trading.values import Side

_ERRORS = {Breach.DAILY_LOSS: DailyLossReached, Breach.DRAWDOWN: DrawdownReached}


def check(account: Account, side: Side, *, now: datetime) -> None:
    """Raises DailyLossReached or DrawdownReached for an account that has lost enough.

    Raises EquityUnknown where nobody can tell, for an order that would add to what may be lost.
    """
    limits = _limits(account)
    if limits is None:
        return
    equity = priced.equity(account)
    if equity.value is None and side is Side.BUY:
        raise EquityUnknown(f"No price is known for {', '.join(equity.unpriced)}.")
    reached = None if equity.value is None else _measured(limits, equity.value, now)
    if reached is not None:
        raise _ERRORS[reached]


def reached_by(account: Account, *, now: datetime) -> Breach | None:
    """The limit that the locked account has reached; its marks move with what is seen.

    On a new day one that was halted for the losses of the day before trades again first.
    """
    limits = _limits(account)
    if limits is None:
        return None
    lift_if_due(account, now=now)
    equity = priced.equity(account).value
    return None if equity is None else _measured(limits, equity, now)


def lift_if_due(account: Account, *, now: datetime) -> None:
    """Let an account trade again that was halted for the losses of a day that is over."""
    if account.status_reason != Breach.DAILY_LOSS or account.status != Account.Status.HALTED:
        return
    limits = account.limits.first()
    if limits is None or limits.day_on is None or limits.day_on < now.date():
        brokers.resume(account, reason="new_day", now=now)


def _limits(account: Account) -> AccountLimits | None:
    """None for an account that may lose what it has."""
    limits = account.limits.first()
    if limits is None or limits.max_daily_loss is limits.max_drawdown is None:
        return None
    return limits


def _measured(limits: AccountLimits, equity: Decimal, now: datetime) -> Breach | None:
    marks = moved(_marks(limits), equity, now.date())
    if marks != _marks(limits):
        limits.day_on, limits.day_start = marks.day_on, marks.day_start
        limits.peak, limits.last_equity = marks.peak, marks.last
        limits.save(update_fields=["day_on", "day_start", "peak", "last_equity"])
    return breach(Limits(limits.max_daily_loss, limits.max_drawdown), marks, equity)


def _marks(limits: AccountLimits) -> Marks:
    return Marks(limits.day_on, limits.day_start, limits.peak, limits.last_equity)
