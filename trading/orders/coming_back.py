"""Accounts of a tenant that stood still come back: each meets what it has missed, in turns.

Until it has met everything, a newer print has to wait: a feed takes a turn of its own, and leaves
the rest, with what it brought, to the tenant's task. A turn is short, for it holds the account, and
what was broken off goes on where the orders stand.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from uuid import UUID

from tenants import context
from tenants.models import Tenant
from trading.brokers import actions as brokers
from trading.brokers.models import Account
from trading.market import queries as market
from trading.market.bars import Bar
from trading.market.ticks import Tick
from trading.orders import execution, missed, reindexing
from trading.orders.models import Order

AT_A_TIME = 100  # bars and ticks


@dataclass(frozen=True, slots=True)
class Turn:
    """The fills of an account's turn, and whether it has met everything by now."""

    fills: int = 0
    is_back: bool = True


def go_on(*, now: datetime) -> bool:
    """Take one turn of one account of the entered tenant; gives whether there was any to take.

    One without open orders has nothing to meet. Raises ValkeyAway.
    """
    waiting = Account.objects.behind().filter(pk__in=Order.objects.open().values("account"))
    account_id = waiting.order_by("id").values_list("id", flat=True).first()
    if account_id is not None:
        take_turn(account_id, now=now)
    return account_id is not None


def take_turn(account_id: UUID, *, now: datetime) -> Turn:
    """Have an account meet some of what it has missed; one that has missed nothing is back.

    Raises ValkeyAway.
    """
    if not Account.objects.behind().filter(pk=account_id).exists():
        return Turn()
    account = brokers.lock(account_id)
    own = Tenant.objects.filter(pk=context.require().tenant_id)
    returned_at = own.values_list("returned_at", flat=True).get()
    # The index may have been made anew without this tenant. First of all: what comes after the end
    # of the tape, as it is found below, looks for the orders there.
    reindexing.put_right(account)
    met = fills = 0
    for printed in islice(_missed(account, now), AT_A_TIME):
        fills += execution.meet_locked(account, printed, now=now)
        met += 1
    if met < AT_A_TIME:
        brokers.note_caught_up(account, returned_at=returned_at)
    return Turn(fills, is_back=met < AT_A_TIME)


def _missed(account: Account, now: datetime) -> Iterator[Bar | Tick]:
    """One instrument after the other."""
    rows = Order.objects.open().filter(account=account)
    for symbol in sorted(set(rows.values_list("instrument", flat=True))):
        yield from missed.unmet(account, symbol, market.tip(symbol), now=now)
