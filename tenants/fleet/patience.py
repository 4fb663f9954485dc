"""Locks are asked for shortly and again, so that nobody who trades waits behind a migration.

Whoever waits for a table's lock makes all who come after wait too: never for longer than
`MIGRATION_LOCK_TIMEOUT_MS`.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.conf import settings
from django.db import OperationalError, connections
from psycopg import errors

from tenants.backend.routers import OWNER_ALIAS

_FIRST, _LONGEST = 0.1, 5.0  # seconds between tries
_PASSES = (errors.LockNotAvailable, errors.DeadlockDetected)


def timeout() -> str:
    """The value of `lock_timeout`."""
    return f"{settings.MIGRATION_LOCK_TIMEOUT_MS}ms"


def patiently(act: Callable[[], None]) -> int:
    """Do it, again and again while others hold a lock; gives how often that was so.

    Raises OperationalError after `MIGRATION_LOCK_TRIES`.
    """
    waits = 0
    while True:
        try:
            act()
        except OperationalError as fault:
            waits += 1
            is_last = waits >= settings.MIGRATION_LOCK_TRIES
            if is_last or not isinstance(fault.__cause__, _PASSES):
                raise
            time.sleep(_pause(waits))
        else:
            return waits


@contextmanager
def short_waits() -> Iterator[None]:
    """For all that the owner's connection of this thread does outside our transactions."""
    with connections[OWNER_ALIAS].cursor() as cursor:
        cursor.execute(f"SET lock_timeout = '{timeout()}'")
    try:
        yield
    finally:
        with connections[OWNER_ALIAS].cursor() as cursor:
            cursor.execute("RESET lock_timeout")


def _pause(waits: int) -> float:
    """Longer each time, and never the same for two that met."""
    longest = min(_FIRST * 2.0**waits, _LONGEST)
    return longest * random.uniform(0.5, 1.0)  # noqa: S311 - no secret
