"""A bar or tick arrives: stored for all, then met by the accounts whose orders it touches.

Nobody is asked who is not concerned: the index names tenants and accounts. Each account's part is
a transaction of its own inside its tenant; tenants take turns, account by account, so that one with
a thousand orders does not hold up the others.
"""

from __future__ import annotations

import itertools
import logging
from collections.abc import Iterable, Iterator
from datetime import datetime
from functools import partial
from uuid import UUID

from django.db import DatabaseError, OperationalError
from psycopg.errors import QueryCanceled

from tenants import context
from tenants.context import Actor, Scope, TenantContext
from tenants.errors import TenantSuspended, UnknownTenant
from trading.errors import NotFound
from trading.market import actions as market
from trading.market import queries
from trading.market.bars import Bar
from trading.market.ticks import Tick
from trading.orders import execution, index, reindexing
from trading.orders.index import Entry

MONITOR = Actor.system("limit-order-monitor")
_log = logging.getLogger("bulkhead.feed")


def feed(printed: Bar | Tick, *, now: datetime) -> int:
    """Store one bar or tick and match it for every tenant; gives the number of fills.

    What is not on the tape is met by nobody. What was met before is met again in vain: after an
    interruption the same can simply be fed once more. Raises ValkeyAway: without the index nobody
    could be found; and what storing it raises.
    """
    return match(printed, now=now) if market.put(printed) else 0


def match(printed: Bar | Tick, *, now: datetime) -> int:
    """Have what is on the tape met by everybody whom it concerns; gives the number of fills.

    Whose account is too busy to be locked in time is met again after all others. Raises
    OperationalError when it still is, or when the database is away.
    """
    touched: dict[tuple[UUID, UUID], list[Entry]] = {}
    for entry in _touched(printed):
        touched.setdefault((entry.tenant_id, entry.account_id), []).append(entry)
    fills, busy = 0, []
    for who in in_turns(touched):
        try:
            fills += _inside(*who, touched[who], printed, now)
        except OperationalError as fault:
            if not isinstance(fault.__cause__, QueryCanceled):
                raise
            _log.warning("tenant %s is busy: %s %s", who[0], printed.symbol, printed.place.key)
            busy.append(who)
    return fills + sum(_inside(*who, touched[who], printed, now) for who in busy)


def recover(symbols: Iterable[str], *, now: datetime) -> int:
    """Match the newest of each symbol again: an interrupted feed may have left somebody out."""
    newest = (queries.newest(symbol) for symbol in symbols)
    return sum(match(printed, now=now) for printed in newest if printed is not None)


def in_turns(accounts: Iterable[tuple[UUID, UUID]]) -> Iterator[tuple[UUID, UUID]]:
    """Pairs of tenant and account: of every tenant one, then of every tenant the next."""
    waiting: dict[UUID, list[UUID]] = {}
    for tenant_id, account_id in accounts:
        waiting.setdefault(tenant_id, []).append(account_id)
    for turn in itertools.zip_longest(*waiting.values()):
        yield from ((t, a) for t, a in zip(waiting, turn, strict=True) if a is not None)


def _touched(printed: Bar | Tick) -> list[Entry]:
    """Raises ValkeyAway; an index that was lost is rebuilt first."""
    ask = partial(
        index.touched, printed.symbol, low=printed.low, high=printed.high, end=printed.end
    )
    try:
        return ask()
    except index.Incomplete:
        reindexing.rebuild()
        return ask()


def _inside(
    tenant_id: UUID, account_id: UUID, entries: list[Entry], printed: Bar | Tick, now: datetime
) -> int:
    """One account's part, in a transaction of its own in its tenant."""
    where = TenantContext(tenant_id, MONITOR, Scope.TENANT)
    try:
        with context.enter(where):
            fills = execution.meet(account_id, printed, now=now)
            reindexing.drop_stale(printed.symbol, account_id, entries)
            return fills
    except (TenantSuspended, UnknownTenant):
        _log.info("tenant left while %s %s was matched", printed.symbol, printed.place.key)
    except OperationalError:
        raise  # the database is away, or the account is busy: the same is met again
    except (DatabaseError, NotFound):
        _log.exception("tenant %s missed %s %s", tenant_id, printed.symbol, printed.place.key)
    return 0
