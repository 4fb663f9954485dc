"""An account's own limits: what trading has lost is measured, and halts it when it is enough.

Equity is the account's cash in its own currency and its holdings priced in it; a holding without
a price leaves equity unknown, and then nothing is measured.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from trading.brokers import actions as brokers
from trading.brokers.limits import Breach, Limits, Marks, breach, moved
from trading.brokers.models import Account, AccountLimits
from trading.errors import DailyLossReached, DrawdownReached
from trading.market import queries as market
from trading.market.models import Instrument
from trading.values import exact

_ERRORS = {Breach.DAILY_LOSS: DailyLossReached, Breach.DRAWDOWN: DrawdownReached}


def check(account: Account, *, now: datetime) -> None:
    """Raises DailyLossReached or DrawdownReached for an account that has lost enough."""
    reached = reached_by(account, now=now)
    if reached is not None:
        raise _ERRORS[reached]


def reached_by(account: Account, *, now: datetime) -> Breach | None:
    """The limit that the locked account has reached; its marks move with what is seen."""
    limits = account.limits.first()
    equity = None if limits is None else _equity(account)
    if limits is None or equity is None:
        return None
    marks = moved(Marks(limits.day_on, limits.day_start, limits.peak), equity, now.date())
    _keep(limits, marks)
    return breach(Limits(limits.max_daily_loss, limits.max_drawdown), marks, equity)


def lift_if_due(account: Account, *, now: datetime) -> None:
    """Let an account trade again that was halted for the losses of a day that is over."""
    if account.status_reason != Breach.DAILY_LOSS or account.status != Account.Status.HALTED:
        return
    limits = account.limits.first()
    if limits is None or limits.day_on is None or limits.day_on < now.date():
        brokers.resume(account, reason="new_day", now=now)


def _keep(limits: AccountLimits, marks: Marks) -> None:
    if marks != Marks(limits.day_on, limits.day_start, limits.peak):
        limits.day_on, limits.day_start, limits.peak = marks.day_on, marks.day_start, marks.peak
        limits.save(update_fields=["day_on", "day_start", "peak"])


@exact()
def _equity(account: Account) -> Decimal | None:
    cash = account.balances.filter(currency=account.currency).values_list("total", flat=True)
    held = dict(account.positions.filter(closed_at=None).values_list("instrument", "quantity"))
    quoted = Instrument.objects.filter(symbol__in=held, quote=account.currency)
    ours = list(quoted.values_list("symbol", flat=True))
    worth = sum(cash, Decimal(0))
    for symbol, quote in market.quotes(ours).items():
        if quote.price is None:
            return None
        worth += held[symbol] * quote.price
    return worth
