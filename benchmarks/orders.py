"""Orders a second through the API, beside reads by the same road.

`python -m benchmarks orders`; takes about five minutes. One web process as `make up` runs it, on
servers that write to the disk as an installation's do; real sockets, connections that stay open.
"""

from __future__ import annotations

import random
import statistics
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from benchmarks import counting
from benchmarks.clients import Answered, Ask, ask
from benchmarks.installation import Installation, installed
from benchmarks.processes import Answering
from benchmarks.race import Spread
from benchmarks.report import Report, Table, milliseconds, publish, ratio
from benchmarks.web import serving

PEOPLE = 32  # of each tier: no two clients share one
READ = "read one order"
ROLE = "bulkhead_app"
_URL = "/api/v1/orders/"


@dataclass(frozen=True, slots=True)
class Size:
    clients: tuple[int, ...]
    rounds: int
    times: int  # requests of each kind a round


FULL, QUICK = Size((1, 8, 32), 6, 128), Size((1, 8), 2, 32)

Trader = dict[str, str]  # token, account, and an order of theirs
Kind = Callable[[Trader, str], Ask]


def _health(_trader: Trader, _symbol: str) -> Ask:
    return Ask("GET", "/healthz")


def _read(trader: Trader, _symbol: str) -> Ask:
    return Ask("GET", f"{_URL}{trader['order']}/", trader["token"])


def _market(trader: Trader, symbol: str) -> Ask:
    return _placed(trader, symbol, type="market")


def _limit(trader: Trader, symbol: str) -> Ask:
    return _placed(trader, symbol, type="limit", limit_price="50")


def _placed(trader: Trader, symbol: str, **how: str) -> Ask:
    order = {"account": trader["account"], "instrument": symbol, "side": "buy", "quantity": "1"}
    return Ask("POST", _URL, trader["token"], {**order, **how}, 201)


KINDS: dict[str, Kind] = {
    "`/healthz`: no tenant, no database": _health,
    READ: _read,
    "place a market order": _market,
    "place a limit order": _limit,
}
Cell = tuple[str, int, str]  # tier, clients, kind
Found = dict[Cell, list[Answered]]


def run(*, quick: bool = False) -> None:
    size = QUICK if quick else FULL
    with installed(durable=True) as installation, _crowd(installation) as crowd:
        crowd("open", people=PEOPLE)
        with serving(installation) as port:
            found = _measure(port, crowd, size)
        counted = _count(installation, crowd)
        publish(_report(found, counted, size), installation, keep=not quick)


@contextmanager
def _crowd(installation: Installation) -> Iterator[Answering]:
    command = [sys.executable, "-m", "benchmarks.orders_process"]
    crowd = Answering("the crowd", command, {**installation.environment, "LOG_LEVEL": "ERROR"})
    try:
        yield crowd
    finally:
        crowd.stop()


def _measure(port: int, crowd: Answering, size: Size) -> Found:
    """Every round has fresh tokens, and all cells in random order; the first is for warming up."""
    found: Found = defaultdict(list)
    for number in range(size.rounds + 1):
        told = crowd("tokens")
        cells = [(t, c, k) for t in told["traders"] for c in size.clients for k in KINDS]
        for tier, clients, kind in random.sample(cells, len(cells)):
            asks = _asks(told, tier, kind, size.times)
            answered = ask(port, asks, clients=clients)
            if number:
                found[tier, clients, kind].append(answered)
        print(f"… round {number} of {size.rounds}", file=sys.stderr, flush=True)
    return found


def _asks(told: dict[str, Any], tier: str, kind: str, times: int) -> list[Ask]:
    """Person after person."""
    traders, symbol = told["traders"][tier], told["symbol"]
    return [KINDS[kind](traders[number % len(traders)], symbol) for number in range(times)]


def _count(installation: Installation, crowd: Answering) -> dict[tuple[str, str], list[str]]:
    """The statements of one request of each kind, by a process that has served such before."""
    told = crowd("tokens")
    counted = {}
    with counting.logged(installation, ROLE) as statements, serving(installation) as port:
        for tier in told["traders"]:
            for kind in KINDS:
                ask(port, _asks(told, tier, kind, 4), clients=1)
                with statements() as seen:
                    ask(port, _asks(told, tier, kind, 1), clients=1)
                counted[tier, kind] = seen
    return counted


def _report(found: Found, counted: dict[tuple[str, str], list[str]], size: Size) -> Report:
    speed = Table(
        "Requests a second through one web process",
        ["tier", "clients", "what", "a second", "p50", "p99", f"rate to “{READ}”"],
        [_row(found, *cell) for cell in sorted(found, key=_place)],
        _NOTE.format(rounds=size.rounds, times=size.times),
    )
    statements = Table(
        "Statements of a request",
        ["tier", "what", "statements", "of which"],
        [
            [tier, kind, str(len(seen)), "; ".join(f"`{line}`" for line in seen)]
            for (tier, kind), seen in counted.items()
        ],
        "As the server's log has them.",
    )
    data = {
        "milliseconds": {
            " / ".join(map(str, cell)): [[round(s * 1e3, 3) for s in a.took] for a in answered]
            for cell, answered in found.items()
        },
        "rates": {" / ".join(map(str, c)): [a.rate for a in found[c]] for c in found},
        "statements": {" / ".join(key): seen for key, seen in counted.items()},
    }
    return Report("orders", "Orders through the API", [speed, statements], data)


_NOTE = """\
{rounds} rounds; in each, every kind is asked {times} times by so many clients at once, in random
order; the clients run on the same machine, each for traders of its own. The rate is the median of
the rounds, p50 and p99 are of all requests together, the last column is the median ratio of a
round, with the least and the most."""


def _row(found: Found, tier: str, clients: int, kind: str) -> list[str]:
    answered = found[tier, clients, kind]
    took = [seconds * 1e3 for one in answered for seconds in one.took]
    cuts = statistics.quantiles(took, n=100)
    pairs = zip(answered, found[tier, clients, READ], strict=True)
    compared = Spread.of(one.rate / read.rate for one, read in pairs)
    rate = statistics.median(one.rate for one in answered)
    times = [milliseconds(cuts[49]), milliseconds(cuts[98])]
    return [tier, str(clients), kind, f"{rate:,.0f}", *times, ratio(compared)]


def _place(cell: Cell) -> tuple[str, int, int]:
    tier, clients, kind = cell
    return tier, clients, list(KINDS).index(kind)
