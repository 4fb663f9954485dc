"""An account whose prices fell far enough, with nothing filled: halted, and out of the market."""

from __future__ import annotations

from datetime import datetime

from trading.brokers import actions as brokers
from trading.brokers.models import Account
from trading.orders import catching_up, endings, limits, outbox
from trading.orders.models import Order
from trading.orders.states import OrderStatus


def look(account: Account, *, now: datetime) -> None:
    """Halt a locked account that has lost as much as its limits allow, and cancel its orders.

    One that a limit halted for a day that is over trades again.
    """
    reached = limits.reached_by(account, now=now)
    if reached is None or account.status != Account.Status.ACTIVE:
        return
    if account.is_paper:
        _leave_market(account, reason=reached.value, now=now)
    else:
        for order in _locked(account):
            outbox.cancel(order, reason=reached.value, now=now)
    brokers.halt(account_id=account.id, reason=reached.value, now=now)


def _leave_market(account: Account, *, reason: str, now: datetime) -> None:
    """Each instrument's orders meet what is newest first, as when somebody ends them by hand."""
    rows = Order.objects.open().filter(account=account)
    for symbol in sorted(set(rows.values_list("instrument", flat=True))):
        after = catching_up.catch_up(account, symbol, now=now)
        for order in _locked(account, instrument=symbol):
            ended = OrderStatus.CANCELED
            endings.end(order, ended, reason=reason, now=now, after=after)


def _locked(account: Account, **chosen: str) -> list[Order]:
    rows = Order.objects.select_for_update().open().filter(account=account, **chosen)
    orders = list(rows.order_by("id"))
    for order in orders:
        order.account = account
    return orders
