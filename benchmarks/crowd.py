"""The clients of `benchmarks.neighbours`: many that ask now and then, and one that never stops."""

from __future__ import annotations

import asyncio
import bisect
import itertools
import json
import random
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from accounts.access.roles import Role
from benchmarks.asking import Person
from benchmarks.clients import Ask, exchange
from benchmarks.population import USERS, Population, account_id
from config.embedded.ports import LOOPBACK

FIRST = 5.0  # seconds of a turn
PAUSE = 1.0  # seconds between an answer and the next request of a client, on average
_REFUSED = 0.05  # seconds that the neighbour waits when it is refused: it is in a hurry
_PAGES = (
    *("accounts/", "orders/?page_size=20", "fills/?page_size=20", "positions/?page_size=20"),
    "orders/?page_size=20&status=accepted",
)
# What the largest tenant's owner might ask, the worst that filters, orders and pages allow.
_WORST = (
    *("orders/?page_size=200", "orders/?page_size=200&ordering=updated_at"),
    "orders/?page_size=200&ordering=updated_at&status=rejected",
    "orders/?page_size=200&instrument=MSFT&side=buy&type=limit&status=accepted",
    *("fills/?page_size=200", "fills/?page_size=200&ordering=executed_at&liquidity=maker"),
    *("positions/?page_size=200", "portfolio/", "dashboard/stats/"),
    *("portfolio/history/?range=1y", "portfolio/pnl/?by=instrument", "portfolio/pnl/?by=position"),
    "audit-log/?page_size=200",
)
_TIMES = 3
_KEPT = 3  # of those: the slowest

Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass
class Heard:
    """Of the others: seconds of each answer, 429s, other errors, rows that are not theirs.

    What is asked in the first seconds stands apart: by then the neighbour has saved server time.
    Of the neighbour: how often it was answered with which status or code.
    """

    first: list[float] = field(default_factory=list)
    took: list[float] = field(default_factory=list)
    refused: int = 0
    failed: list[str] = field(default_factory=list)
    foreign: int = 0
    neighbour: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class Neighbour:
    """What it asks for, by so many clients."""

    requests: Sequence[bytes]
    clients: int


@dataclass(frozen=True, slots=True)
class Slowest:
    """Pages with their seconds alone, and as requests of the largest tenant's owner."""

    pages: list[tuple[str, float]]
    requests: list[bytes]


class Tenants:
    """Everybody but the largest, drawn by Zipf's law: the n-th is asked for 1/n as often."""

    def __init__(self, population: Population, secret: str, clients: int) -> None:
        self.clients = clients
        self._secret = secret
        weights = (1 / (rank + 1) for rank in range(population.even))
        self._sums = list(itertools.accumulate(weights))
        self._people: dict[int, tuple[list[bytes], bytes]] = {}

    def draw(self) -> tuple[bytes, bytes]:
        """A request of somebody, and the account that its rows may name."""
        number = bisect.bisect(self._sums, random.random() * self._sums[-1])
        if number not in self._people:
            self._people[number] = self._of(number)
        requests, account = self._people[number]
        return random.choice(requests), account

    def _of(self, number: int) -> tuple[list[bytes], bytes]:
        person = Person(number, number % USERS, Role.TRADER)
        token = person.token(self._secret)
        requests = [Ask("GET", f"/api/v1/{page}", token).encoded() for page in _PAGES]
        return requests, str(account_id(number, number % USERS)).encode()


def slowest(port: int, population: Population, secret: str) -> Slowest:
    """Each page is asked for alone; those that are refused are out of reach."""
    token = Person(population.big, 0, Role.OWNER).token(secret)
    asks = {page: Ask("GET", f"/api/v1/{page}", token).encoded() for page in _WORST}
    took = asyncio.run(_tried(port, asks))
    pages = sorted(took.items(), key=lambda item: -item[1])[:_KEPT]
    return Slowest(pages, [asks[page] for page, _ in pages])


def trade(port: int, tenants: Tenants, neighbour: Neighbour | None, *, seconds: float) -> Heard:
    """What everybody heard in so many seconds."""
    return asyncio.run(_trade(port, tenants, neighbour, seconds))


async def _tried(port: int, asks: dict[str, bytes]) -> dict[str, float]:
    stream = await asyncio.open_connection(LOOPBACK, port)
    took = {}
    for page, request in asks.items():
        for _ in range(_TIMES):
            started = time.perf_counter()
            status, body = await exchange(stream, request)
            while status == 429:  # its server time is used up
                await asyncio.sleep(1.0)
                started = time.perf_counter()
                status, body = await exchange(stream, request)
            took[page] = time.perf_counter() - started
        if status != 200:
            raise RuntimeError(f"{page}: {status} {body[:300]!r}")
    stream[1].close()
    return took


async def _trade(port: int, tenants: Tenants, neighbour: Neighbour | None, seconds: float) -> Heard:
    heard, end = Heard(), time.perf_counter() + seconds
    number = tenants.clients + (neighbour.clients if neighbour else 0)
    streams = [await asyncio.open_connection(LOOPBACK, port) for _ in range(number)]
    others, noisy = streams[: tenants.clients], streams[tenants.clients :]
    work = [_ask_now_and_then(stream, tenants, heard, end) for stream in others]
    if neighbour:
        work += [_never_stop(stream, neighbour, heard, end) for stream in noisy]
    await asyncio.gather(*work)
    for _, writer in streams:
        writer.close()
    return heard


async def _ask_now_and_then(stream: Stream, tenants: Tenants, heard: Heard, end: float) -> None:
    until = time.perf_counter() + FIRST
    await asyncio.sleep(random.random() * PAUSE)
    while time.perf_counter() < end:
        request, account = tenants.draw()
        started = time.perf_counter()
        status, body = await exchange(stream, request)
        took = time.perf_counter() - started
        if status == 200:
            (heard.first if started < until else heard.took).append(took)
            heard.foreign += body.count(b'"account":') - body.count(b'"account":"' + account)
        elif status == 429:
            heard.refused += 1
        else:
            heard.failed.append(f"{status} {body[:100]!r}")
        await asyncio.sleep(2 * random.random() * PAUSE)  # a server closes what is idle for 5 s


async def _never_stop(stream: Stream, neighbour: Neighbour, heard: Heard, end: float) -> None:
    while time.perf_counter() < end:
        status, body = await exchange(stream, random.choice(neighbour.requests))
        heard.neighbour[str(status) if status == 200 else json.loads(body)["code"]] += 1
        if status == 429:
            await asyncio.sleep(_REFUSED)
