"""Before somebody ends orders, their account meets what is on the tape and not met yet, in order.

A feed stores a bar or tick before it looks for the orders that it touches: whoever ends an order in
between ends it after that, as a replay would. Whatever it brings about stays, even if the request
is refused for it: an order that was filled cannot be canceled, and is filled.
"""

from __future__ import annotations

import dataclasses
from datetime import datetime
from uuid import UUID

from tenants import context
from trading.brokers import actions as brokers
from trading.brokers.models import Account
from trading.errors import NotFound
from trading.market import queries as market
from trading.market.places import Place
from trading.orders import execution, missed
from trading.orders.models import Order


@dataclasses.dataclass(frozen=True, slots=True)
class CaughtUp:
    """A locked order, and the place where it ends if it is ended now; None before anything."""

    order: Order
    after: Place | None


def caught_up(order_id: UUID, *, now: datetime) -> CaughtUp:
    """An order with its account's lock held, which has met all that is on the tape.

    Raises NotFound.
    """
    row = Order.objects.filter(pk=order_id).values_list("account_id", "instrument").first()
    if row is None:
        raise NotFound("There is no such order.")
    account_id, symbol = row
    account = brokers.lock(account_id)
    newest = catch_up(account, symbol, now=now)
    order = Order.objects.select_for_update().get(pk=order_id)
    order.account = account
    return CaughtUp(order, last_met(order, newest))


def catch_up(account: Account, symbol: str, *, now: datetime) -> Place | None:
    """Meet what has not been met yet; gives the newest place. The account is locked.

    What passed its tenant by is part of that. By the time that the caller goes on a newer one may
    be there: that one finds what is open then.
    """
    tip = market.tip(symbol)
    for printed in missed.unmet(account, symbol, tip, now=now):
        execution.meet_locked(account, printed, now=now)
        context.keep()
    return tip.place


def last_met(order: Order, newest: Place | None) -> Place | None:
    """The place after which an order ends: that of a halted account stands where it was."""
    is_halted = order.account.status == Account.Status.HALTED
    return order.place_met if is_halted else newest
