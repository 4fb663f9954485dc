"""The moment in which no transaction of a tenant runs, and how to know that the old ones are over.

Every transaction of a tenant shares a lock (`enter_tenant`). Whoever asks for it alone makes new
ones wait: so that is asked for a few hundredths of a second, again and again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from uuid import UUID

from django.db import OperationalError
from psycopg.errors import LockNotAvailable

from tenants.cursors import Cursor
from tenants.entry import RESTORING
from tenants.lifecycle.provisioning import owner_cursor
from tenants.moving.errors import TenantIsBusy

# For the lock: as long new transactions wait at worst, before the switch itself. Longer with each
# try, for a tenant whose transactions are long and never pause.
_WAIT_MS, _WAIT_AT_MOST_MS = 40, 160
_TRIES = 500
_PAUSE = 0.05  # seconds between tries
_OLD_ONES_END = 120.0  # seconds
_SHUT_AT_MOST = "60s"  # for the old ones to end, before anything is done
# Whoever holds the fence and dies is missed after this, also in the midst of a long statement.
_IS_THERE = "1s"

_LOCK_BY_NAME = "SELECT pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended(%s, 0))"
_HOLDERS = """
SELECT pid, virtualtransaction FROM pg_catalog.pg_lock_status()
 WHERE locktype = 'advisory' AND granted AND objsubid = 1
   AND database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())
   AND classid::bigint = %s AND objid::bigint = %s
"""


def await_older(tenant_id: UUID, *, look: Callable[[], None] = lambda: None) -> None:
    """Until every transaction of the tenant that is open now is over. Raises TenantIsBusy, and
    what `look` raises, which is called again and again."""
    open_now = _holders(tenant_id)
    until = time.monotonic() + _OLD_ONES_END
    while open_now & _holders(tenant_id):
        look()
        if time.monotonic() > until:
            raise TenantIsBusy
        time.sleep(_PAUSE)


@contextmanager
def alone(tenant_id: UUID, *, number: int = 0) -> Iterator[Cursor]:
    """A transaction of the owner's beside which none of the tenant's is open.

    What it reads is read after the lock was got; `number` is that of the try. Raises
    LockNotAvailable, soon, where another is open.
    """
    wait = min(_WAIT_MS + number, _WAIT_AT_MOST_MS)
    try:
        with owner_cursor() as cursor:
            cursor.execute(f"SET LOCAL lock_timeout = '{wait}ms'")
            cursor.execute("SELECT pg_catalog.pg_advisory_xact_lock(%s)", [_key(tenant_id)])
            yield cursor
    except OperationalError as fault:
        if isinstance(fault.__cause__, LockNotAvailable):
            raise fault.__cause__ from fault
        raise


@contextmanager
def shut(tenant_id: UUID) -> Iterator[Cursor]:
    """The same for longer: whoever comes meanwhile does not wait, but is refused (TenantRestoring).

    What is open now is waited for. Both locks go with the transaction, whichever way that ends:
    nobody has to open the tenant again. Raises TenantIsBusy.
    """
    try:
        with owner_cursor() as cursor:
            cursor.execute(f"SET LOCAL client_connection_check_interval = '{_IS_THERE}'")
            cursor.execute(f"SET LOCAL lock_timeout = '{_SHUT_AT_MOST}'")
            # In this order: who is refused by the first never waits for the second.
            cursor.execute(_LOCK_BY_NAME, [f"{RESTORING}{tenant_id}"])
            cursor.execute("SELECT pg_catalog.pg_advisory_xact_lock(%s)", [_key(tenant_id)])
            yield cursor
    except OperationalError as fault:
        if isinstance(fault.__cause__, LockNotAvailable):
            raise TenantIsBusy from fault
        raise


def tries() -> Iterator[int]:
    """One by one, with pauses. Raises TenantIsBusy when there were enough."""
    for number in range(_TRIES):
        yield number
        time.sleep(_PAUSE)
    raise TenantIsBusy


def _holders(tenant_id: UUID) -> set[tuple[int, str]]:
    number = int(tenant_id.hex[-16:], 16)
    with owner_cursor() as cursor:
        cursor.execute(_HOLDERS, [number >> 32, number & 0xFFFFFFFF])
        return set(cursor.fetchall())


def _key(tenant_id: UUID) -> int:
    """As `enter_tenant` makes it: the last 16 digits, as a number with a sign."""
    return int.from_bytes(bytes.fromhex(tenant_id.hex[-16:]), signed=True)
