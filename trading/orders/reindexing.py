"""The open-order index beside the truth: rebuilt when lost, checked by a timer, kept tidy."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import datetime
from functools import partial
from uuid import UUID

from django.db.models import QuerySet

from tenants import afterwards, context, returning
from tenants import queries as tenants
from tenants.context import Actor, Scope, TenantContext
from tenants.errors import TenantRestoring, TenantSuspended, UnknownTenant
from trading.brokers import actions as brokers
from trading.brokers.models import Account
from trading.market.models import Instrument
from trading.orders import index, levels, working_orders
from trading.orders.index import Entry
from trading.orders.levels import Levels
from trading.orders.models import Order
from trading.orders.states import OrderStatus

KEEPER = Actor.system("open-order-index")
_log = logging.getLogger("bulkhead.orders")


def rebuild(*, now: datetime) -> None:
    """Tell an emptied Valkey of every open order, tenant by tenant. Raises ValkeyAway.

    Of one that is being restored nobody knows which it will have: it is said to return, whatever
    comes of that, and its orders are looked for then.
    """
    begun = index.begin()
    for tenant_id in tenants.active_ids():
        try:
            with context.enter(TenantContext(tenant_id, KEEPER, Scope.TENANT)):
                _add(_in_market())
        except TenantRestoring:
            returning.note(tenant_id, now=now)
        except (TenantSuspended, UnknownTenant):
            _log.info("tenant %s left while the index was rebuilt", tenant_id)
    index.complete(begun=begun)


def check() -> int:
    """Put right where the entered tenant's open orders stand; gives how many stood wrong.

    None should: an order is announced before it is committed. What moves meanwhile looks wrong and
    is not, so that whatever does is looked at again with its account's lock. Raises ValkeyAway.
    """
    suspects = _misplaced(_in_market())
    if not suspects:
        return 0
    brokers.lock_in_order(Account.objects.filter(pk__in={order.account_id for order in suspects}))
    wrong = _misplaced(_in_market().filter(pk__in=[order.id for order in suspects]))
    _add(wrong)
    if wrong:
        _log.error("the open-order index was wrong about %s orders", len(wrong))
    return len(wrong)


def put_right(account: Account) -> None:
    """Have the open orders of a locked account stand where they wait. Raises ValkeyAway."""
    _add(_in_market().filter(account=account))


def sweep() -> int:
    """Take out of the index what is no open order, tenant by tenant; gives how much that was.

    It does no harm, and nothing but this finds what no price ever touches. All of the index is read
    once, for its keys are shared: were each tenant to look for its own, it would be read by each.
    Raises ValkeyAway.
    """
    swept = 0
    for symbol in Instrument.objects.order_by("symbol").values_list("symbol", flat=True):
        for tenant_id, entries in _by_tenant(index.named(symbol)).items():
            swept += _sweep(tenant_id, symbol, entries)
    return swept


def drop_stale(symbol: str, account_id: UUID, entries: Iterable[Entry]) -> None:
    """Take out what a bar found in the index and is no open order, once that is committed.

    The account is locked, so that none of these is on its way.
    """
    named = {entry.order_id: entry for entry in entries}
    open_ids = Order.objects.open().filter(account=account_id, pk__in=named)
    known = set(open_ids.values_list("id", flat=True))
    stale = [entry for key, entry in named.items() if key not in known]
    if stale:
        afterwards.do(partial(index.drop, symbol, stale))


def _sweep(tenant_id: UUID, symbol: str, entries: set[Entry]) -> int:
    """One tenant's part of one instrument; all of it where the tenant is no more."""
    try:
        with context.enter(TenantContext(tenant_id, KEEPER, Scope.TENANT)):
            strays = _strays(entries)
            # An order may have been announced and be on its way: not past its account's lock.
            accounts = {entry.account_id for entry in strays}
            brokers.lock_in_order(Account.objects.filter(pk__in=accounts))
            strays = _strays(strays)
    except TenantSuspended:
        return 0
    except UnknownTenant:
        strays = entries
    index.drop(symbol, strays)
    return len(strays)


def _strays(entries: set[Entry]) -> set[Entry]:
    """Those that are no open order of the entered tenant."""
    rows = _in_market().filter(pk__in=[entry.order_id for entry in entries])
    known = set(rows.values_list("account_id", "id"))
    return {entry for entry in entries if (entry.account_id, entry.order_id) not in known}


def _by_tenant(entries: Iterable[Entry]) -> dict[UUID, set[Entry]]:
    found: dict[UUID, set[Entry]] = {}
    for entry in entries:
        found.setdefault(entry.tenant_id, set()).add(entry)
    return found


def _in_market() -> QuerySet[Order]:
    rows = Order.objects.open().filter(account__kind=Account.Kind.PAPER)
    return rows.exclude(status=OrderStatus.INITIALIZED).order_by("id")


def _misplaced(orders: Iterable[Order]) -> list[Order]:
    found = []
    for symbol, mine in _by_symbol(orders).items():
        by_entry = {index.entry(order.account_id, order.id): order for order in mine}
        found += [by_entry[entry] for entry in index.misplaced(symbol, _waiting(mine))]
    return found


def _waiting(orders: Iterable[Order]) -> dict[Entry, Levels]:
    """Where open orders have to stand."""
    return {
        index.entry(order.account_id, order.id): levels.of(working_orders.waiting(order))
        for order in orders
    }


def _add(orders: Iterable[Order]) -> None:
    for symbol, mine in _by_symbol(orders).items():
        index.move(symbol, _waiting(mine))


def _by_symbol(orders: Iterable[Order]) -> dict[str, list[Order]]:
    found: dict[str, list[Order]] = {}
    for order in orders:
        found.setdefault(order.instrument, []).append(order)
    return found
