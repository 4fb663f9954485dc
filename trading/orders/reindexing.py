"""The open-order index beside the truth: rebuilt when lost, checked by a timer, kept tidy."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from functools import partial
from uuid import UUID

from django.db import transaction

from tenants import context
from tenants import queries as tenants
from tenants.context import Actor, Scope, TenantContext
from tenants.errors import TenantSuspended, UnknownTenant
from trading.brokers.models import Account
from trading.orders import index, levels, working_orders
from trading.orders.index import Entry
from trading.orders.models import Order
from trading.orders.states import OrderStatus

KEEPER = Actor.system("open-order-index")
_log = logging.getLogger("bulkhead.orders")


def rebuild() -> None:
    """Tell an emptied Valkey of every open order, tenant by tenant. Raises ValkeyAway."""
    begun = index.begin()
    for tenant_id in tenants.active_ids():
        try:
            with context.enter(TenantContext(tenant_id, KEEPER, Scope.TENANT)):
                _add(_in_market())
        except (TenantSuspended, UnknownTenant):
            _log.info("tenant %s left while the index was rebuilt", tenant_id)
    index.complete(begun=begun)


def check() -> int:
    """Add what is missing of the entered tenant; gives how many. Raises ValkeyAway.

    There should be none: an order is announced before it is committed.
    """
    missing = 0
    for symbol, orders in _by_symbol(_in_market()).items():
        entries = {index.entry(order.account_id, order.id): order for order in orders}
        lost = index.missing(symbol, entries)
        _add([entries[entry] for entry in lost])
        missing += len(lost)
    if missing:
        _log.error("the open-order index lacked %s orders", missing)
    return missing


def drop_stale(symbol: str, account_id: UUID, entries: Iterable[Entry]) -> None:
    """Take out what a bar found in the index and is no open order, once that is committed.

    The account is locked, so that none of these is on its way.
    """
    named = {entry.order_id: entry for entry in entries}
    open_ids = Order.objects.open().filter(account=account_id, pk__in=named)
    known = set(open_ids.values_list("id", flat=True))
    stale = [entry for key, entry in named.items() if key not in known]
    if stale:
        transaction.on_commit(partial(index.drop, symbol, stale), robust=True)


def _in_market() -> list[Order]:
    rows = Order.objects.open().filter(account__kind=Account.Kind.PAPER)
    return list(rows.exclude(status=OrderStatus.INITIALIZED).order_by("id"))


def _add(orders: Iterable[Order]) -> None:
    for symbol, mine in _by_symbol(orders).items():
        waiting = {
            index.entry(order.account_id, order.id): levels.of(working_orders.waiting(order))
            for order in mine
        }
        index.move(symbol, waiting)


def _by_symbol(orders: Iterable[Order]) -> dict[str, list[Order]]:
    found: dict[str, list[Order]] = {}
    for order in orders:
        found.setdefault(order.instrument, []).append(order)
    return found
