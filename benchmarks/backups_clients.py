"""Who trades while `benchmarks.backups` takes and restores, and who waits for a lock."""

from __future__ import annotations

import asyncio
import json
import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from benchmarks.clients import Ask, exchange
from benchmarks.installation import Installation
from config.embedded.ports import LOOPBACK
from tenants.roles import BACKUP

# Seconds between what a client has done and the next, on average; a server closes what is idle
# for five.
_PAUSES = {"own": 0.5, "others": 1.5}
_SAMPLE = 0.02  # seconds
_ORDERS = "/api/v1/orders/"
_LIST = f"{_ORDERS}?page_size=20"
# Who waits for a lock that the backup has, or has the lock that the backup waits for.
_WAITING = f"""
SELECT count(*), count(*) FILTER (WHERE EXISTS (
           SELECT FROM pg_stat_activity b WHERE b.usename = '{BACKUP}'
              AND (b.pid = w.pid OR b.pid = ANY (pg_blocking_pids(w.pid)))))
  FROM pg_locks w WHERE NOT w.granted
"""


@dataclass
class Heard:
    """Seconds of each answer to the others, by what was asked; the longest that the tenant's own
    clients waited; answers that nobody wanted."""

    reads: list[float] = field(default_factory=list)
    writes: list[float] = field(default_factory=list)
    own: list[float] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)


@dataclass
class Waits:
    """Of how many looks, in how many somebody waited for a lock, and in how many that was between
    a backup and anybody else."""

    looks: int = 0
    any: int = 0
    of_backups: int = 0


@dataclass(frozen=True)
class Clients:
    """Of the tenant that is backed up, its own; and one of each of some others."""

    port: int
    symbol: str
    told: Mapping[str, Sequence[dict[str, str]]]  # by whose they are: token and account

    def trade(self, act: Callable[[], Any]) -> tuple[Heard, Any]:
        """What they heard while something was done, and what that gave."""
        stop = threading.Event()
        with ThreadPoolExecutor(1) as pool:
            trading = pool.submit(lambda: asyncio.run(self._trade(stop)))
            try:
                given = act()
            finally:
                stop.set()
            return trading.result(), given

    async def _trade(self, stop: threading.Event) -> Heard:
        heard = Heard()
        clients = [
            self._client(who, trader, heard, stop)
            for who, traders in self.told.items()
            for trader in traders
        ]
        await asyncio.gather(*clients)
        return heard

    async def _client(
        self, who: str, trader: dict[str, str], heard: Heard, stop: threading.Event
    ) -> None:
        """Places an order, cancels it, and looks at the newest; the tenant's own do not look."""
        stream = await asyncio.open_connection(LOOPBACK, self.port)
        token, writes = trader["token"], heard.own if who == "own" else heard.writes
        order = Ask("POST", _ORDERS, token, self._order(trader["account"]))
        listed = Ask("GET", _LIST, token)
        await asyncio.sleep(random.random() * _PAUSES[who])
        while not stop.is_set():
            placed = await _timed(stream, order, writes, heard)
            if who == "others":
                await _timed(stream, listed, heard.reads, heard)
            if "id" in placed:
                cancel = Ask("DELETE", f"{_ORDERS}{placed['id']}/", token)
                await _timed(stream, cancel, writes, heard)
            await asyncio.sleep(2 * random.random() * _PAUSES[who])
        stream[1].close()

    def _order(self, account: str) -> dict[str, str]:
        order = {"account": account, "instrument": self.symbol, "side": "buy", "quantity": "1"}
        return {**order, "type": "limit", "limit_price": "50"}


@contextmanager
def watched(installation: Installation) -> Iterator[Waits]:
    """The locks, while the block runs."""
    waits, stop = Waits(), threading.Event()

    def look() -> None:
        with installation.superuser() as connection:
            while not stop.wait(_SAMPLE):
                ((some, ours),) = connection.execute(_WAITING).fetchall()
                waits.looks += 1
                waits.any += bool(some)
                waits.of_backups += bool(ours)

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield waits
    finally:
        stop.set()
        thread.join()


async def _timed(stream: Any, ask: Ask, took: list[float], heard: Heard) -> Any:
    started = time.perf_counter()
    status, body = await exchange(stream, ask.encoded())
    took.append(time.perf_counter() - started)
    if status not in (200, 201):
        heard.failed.append(f"{status} {body[:200]!r}")
        return {}
    return json.loads(body)
