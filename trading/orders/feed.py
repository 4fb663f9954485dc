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
from psycopg.errors import DeadlockDetected, LockNotAvailable, QueryCanceled

from config.observing import metrics
from tenants import context
from tenants.context import Actor, Scope, TenantContext
from tenants.errors import TenantRestoring, TenantSuspended, UnknownTenant
from trading.errors import NotFound
from trading.market import actions as market
from trading.market import queries, tape
from trading.market.bars import Bar
from trading.market.ticks import Tick
from trading.orders import coming_back, execution, index, reindexing
from trading.orders.index import Entry

MONITOR = Actor.system("limit-order-monitor")
Who = tuple[UUID, UUID]  # tenant and account
_BUSY = (QueryCanceled, LockNotAvailable, DeadlockDetected)
_log = logging.getLogger("bulkhead.feed")


def feed(printed: Bar | Tick, *, now: datetime) -> int:
    """Store one bar or tick and match it for every tenant; gives the number of fills.

    What is not on the tape is met by nobody; what was left unmatched before is met first. The same
    fed again changes nothing. Raises ValkeyAway: without the index nobody could be found; and what
    storing it raises.
    """
    market.put(printed)
    return match(printed.symbol, now=now)


def match(symbol: str, *, now: datetime) -> int:
    """Have everybody meet what concerns them and is not matched yet; gives the number of fills.

    One bar or tick after the other. Whose account is too busy to be locked in time is met again
    after all others; if it still is, it stays behind, and the tape unmatched from there on for the
    next call. Raises OperationalError when the database is away.
    """
    fills, behind = 0, set[Who]()
    for printed in tape.unmatched(symbol, queries.tip(symbol)):
        fills += _match(printed, behind, now)
        if not behind:
            market.note_matched(symbol, printed.place)
    return fills


def recover(symbols: Iterable[str], *, now: datetime) -> int:
    """Match what is left of each symbol: an interrupted feed may have left somebody out."""
    return sum(match(symbol, now=now) for symbol in symbols)


def _match(printed: Bar | Tick, behind: set[Who], now: datetime) -> int:
    """One bar or tick, for all but those who are behind; whoever stays out of it is from now on."""
    touched: dict[Who, list[Entry]] = {}
    for entry in _touched(printed, now):
        touched.setdefault((entry.tenant_id, entry.account_id), []).append(entry)
    waiting = [who for who in in_turns(touched) if who not in behind]
    fills = 0
    for _ in range(2):
        busy = []
        for who in waiting:
            try:
                fills += _inside(*who, touched[who], printed, now)
            except (OperationalError, TenantRestoring) as fault:
                if not _is_busy(fault):
                    raise
                _log.warning("tenant %s is busy: %s %s", who[0], printed.symbol, printed.place.key)
                busy.append(who)
        waiting = busy
    behind |= set(waiting)  # the caller's
    metrics.matched("bar" if isinstance(printed, Bar) else "tick", fills=fills)
    return fills


def _is_busy(fault: Exception) -> bool:
    """Whether who could not be met now is met later: its account is locked, or its tenant shut for
    a restore, which may come to nothing."""
    return isinstance(fault, TenantRestoring) or isinstance(fault.__cause__, _BUSY)


def in_turns(accounts: Iterable[Who]) -> Iterator[Who]:
    """Pairs of tenant and account: of every tenant one, then of every tenant the next."""
    waiting: dict[UUID, list[UUID]] = {}
    for tenant_id, account_id in accounts:
        waiting.setdefault(tenant_id, []).append(account_id)
    for turn in itertools.zip_longest(*waiting.values()):
        yield from ((t, a) for t, a in zip(waiting, turn, strict=True) if a is not None)


def _touched(printed: Bar | Tick, now: datetime) -> list[Entry]:
    """Raises ValkeyAway; an index that was lost is rebuilt first."""
    ask = partial(
        index.touched, printed.symbol, low=printed.low, high=printed.high, end=printed.end
    )
    try:
        return ask()
    except index.Incomplete:
        reindexing.rebuild(now=now)
        return ask()


def _inside(
    tenant_id: UUID, account_id: UUID, entries: list[Entry], printed: Bar | Tick, now: datetime
) -> int:
    """One account's part, in a transaction of its own in its tenant."""
    where = TenantContext(tenant_id, MONITOR, Scope.TENANT)
    try:
        with context.enter(where):
            turn = coming_back.take_turn(account_id, now=now)
            if not turn.is_back:  # what is printed here waits for it
                return turn.fills
            fills = execution.meet(account_id, printed, now=now)
            reindexing.drop_stale(printed.symbol, account_id, entries)
            return turn.fills + fills
    except (OperationalError, TenantRestoring):
        raise  # the database is away, or whoever is concerned is busy: the same is met again
    except (TenantSuspended, UnknownTenant):
        _log.info("tenant left while %s %s was matched", printed.symbol, printed.place.key)
    except (DatabaseError, NotFound):
        _log.exception("tenant %s missed %s %s", tenant_id, printed.symbol, printed.place.key)
    return 0
