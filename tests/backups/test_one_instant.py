"""A backup is one instant of a tenant that goes on trading, and nobody waits for it."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any
from unittest import mock
from uuid import uuid4

import psycopg
import pytest

from backups.models import Backup
from backups.snapshot import Snapshot
from tenants.models import Tenant
from tests.backups.keepers import restore_into, take
from tests.cast import House, job
from tests.market import Market
from tests.scenarios.test_hammering import ANSWERS, hammer, move, open_account_named
from tests.trading import books
from trading.models import Account, Fill

CLIENTS, SECONDS, TRIED = 8, 2.0, 3
_PAUSE, _BETWEEN = 0.2, 0.02  # seconds: after a backup, and before each of its tables
# The installation's own who wait for a lock that this process has, or have one that it waits for:
# beside this test others alter tables.
_WAITING = b"""
SELECT pid FROM pg_stat_activity
 WHERE usename = 'bulkhead_app'
   AND (%(pid)s = ANY (pg_blocking_pids(pid)) OR pid = ANY (pg_blocking_pids(%(pid)s)))
"""
_LOCKS = b"SELECT locktype, mode FROM pg_locks WHERE pid = %s AND locktype <> 'virtualxid'"


class Watch:
    """Of the locks that backups have, and of who waits for whom."""

    def __init__(self) -> None:
        self.locks: set[Any] = set()
        self.waiting: list[Any] = []
        self.looks = self._pid = 0
        self._stop = threading.Event()

    @contextmanager
    def looking(self) -> Iterator[None]:
        heads, rows, people = Snapshot.heads, Snapshot.rows, Snapshot.people

        def begins(seen: Snapshot) -> Any:
            self._pid = seen.cursor.connection.info.backend_pid
            return heads(seen)

        def slowly(seen: Snapshot, head: Any) -> Any:
            """Somebody commits something between any two tables."""
            time.sleep(_BETWEEN)
            return rows(seen, head)

        def ends(seen: Snapshot) -> Any:
            with _superuser() as database:  # it has all that it takes
                self.locks |= set(database.execute(_LOCKS, [self._pid]).fetchall())
            return people(seen)

        thread = threading.Thread(target=self._look)
        with mock.patch.multiple(Snapshot, heads=begins, rows=slowly, people=ends):
            thread.start()
            try:
                yield
            finally:
                self._stop.set()
                thread.join()

    def _look(self) -> None:
        with _superuser() as database:
            while not self._stop.wait(0.005):
                self.waiting += database.execute(_WAITING, {"pid": self._pid}).fetchall()
                self.looks += bool(self._pid)


def _superuser() -> psycopg.Connection[Any]:
    return psycopg.connect(os.environ["DATABASE_SUPERUSER_URL"], autocommit=True)


@pytest.fixture
def accounts(house: House) -> list[str]:
    return [open_account_named(house.alice, number) for number in range(CLIENTS)]


def test_the_books_balance_in_each_and_nobody_waits(
    house: House, market: Market, accounts: list[str]
) -> None:
    """While eight clients trade without a pause, and the market moves."""
    watch, stop, until = Watch(), threading.Event(), time.monotonic() + SECONDS
    with ThreadPoolExecutor(CLIENTS + 1) as pool, watch.looking():
        moving = pool.submit(move, market, stop)
        trading = [
            pool.submit(hammer, house.alice, account, market, number, until)
            for number, account in enumerate(accounts)
        ]
        try:
            backups = _taken_until(house.tenant, until)
            answers = {status for each in trading for status in each.result()}
        finally:
            stop.set()
        moving.result()
    assert answers <= ANSWERS
    assert watch.locks == {("relation", "AccessShareLock")}
    assert watch.looks > len(backups)
    assert watch.waiting == []
    fills = [_checked(backup) for backup in _spread(backups)]
    assert fills[0] < fills[-1]


def _taken_until(tenant: Tenant, until: float) -> list[Backup]:
    taken = []
    while time.monotonic() < until or len(taken) < TRIED:
        taken.append(take(tenant))
        time.sleep(_PAUSE)
    return taken


def _spread(backups: list[Backup]) -> list[Backup]:
    """The first, the last, and some between."""
    step = (len(backups) - 1) / (TRIED - 1)
    return [backups[round(number * step)] for number in range(TRIED)]


def _checked(backup: Backup) -> int:
    """Its books, in a tenant of their own; gives how many fills there are."""
    with job(restore_into(backup, f"r{uuid4().hex[:12]}")):
        for account_id in Account.objects.values_list("id", flat=True):
            books.check(account_id)
        return Fill.objects.count()
