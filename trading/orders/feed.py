"""A bar arrives: it is stored for all, then matched tenant by tenant, each in its own context."""

from __future__ import annotations

import logging
from datetime import datetime
from uuid import UUID

from django.db import DatabaseError, OperationalError

from tenants import context
from tenants import queries as tenants
from tenants.context import Actor, Scope, TenantContext
from tenants.errors import TenantSuspended, UnknownTenant
from trading.market import actions as market
from trading.market.bars import Bar
from trading.orders import execution

MONITOR = Actor.system("limit-order-monitor")
_log = logging.getLogger("bulkhead.feed")


def feed(bar: Bar, *, now: datetime) -> int:
    """Store one bar and match it for every tenant; gives the number of fills.

    Each tenant's part is a transaction of its own, and a bar met before is met again in vain: after
    an interruption the same bar can simply be fed once more.
    """
    market.load([bar])
    return sum(_match_inside(tenant_id, bar, now) for tenant_id in tenants.active_ids())


def _match_inside(tenant_id: UUID, bar: Bar, now: datetime) -> int:
    where = TenantContext(tenant_id, MONITOR, Scope.TENANT)
    try:
        with context.enter(where):
            return execution.match(bar, now=now)
    except (TenantSuspended, UnknownTenant):
        _log.info("tenant left while bar %s %s was matched", bar.symbol, bar.start)
    except OperationalError:
        raise  # the database is away: for all of them, and the same bar is fed again
    except DatabaseError:
        _log.exception("tenant %s missed bar %s %s", tenant_id, bar.symbol, bar.start)
    return 0
