"""Thousands of tenants, and one of them that asks for all it can get: do the others notice?

`python -m benchmarks neighbours`; takes about half an hour. As many web processes as `make up`
starts; clients that ask as people do, a moment after the last answer, for tenants drawn by Zipf's
law. The neighbour is the largest tenant, on the same plan, and asks for its slowest pages without a
pause.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

from benchmarks import crowd
from benchmarks.crowd import Heard, Neighbour, Tenants
from benchmarks.installation import installed
from benchmarks.population import Population
from benchmarks.race import Spread
from benchmarks.report import Report, Table, milliseconds, publish, ratio
from benchmarks.web import serving
from config.embedded.web import processes

ALONE, BESIDE = "without it", "with it"
GOAL = 1.25
CODES = ("too_much_time", "too_many_at_once", "too_many_requests")


@dataclass(frozen=True, slots=True)
class Size:
    population: Population
    clients: int
    rounds: int
    seconds: float  # of each turn


FULL = Size(Population(5_000, 200, 100_000), 50, 20, 30.0)
QUICK = Size(Population(300, 60, 20_000), 50, 3, 15.0)
# As pro is sold.
AT_ONCE = 32
_SOLD = (
    "UPDATE tenants_plan SET requests_per_minute = 3000, concurrent_requests = 32,"
    " server_ms_per_second = 400"
)
CLIENTS = AT_ONCE + 4  # of the neighbour: some more than may ask at a time

Found = dict[str, list[Heard]]
FIRST, TOOK = attrgetter("first"), attrgetter("took")


def run(*, quick: bool = False) -> None:
    size = QUICK if quick else FULL
    with installed() as installation:
        _say("filling")
        with installation.superuser() as connection:
            size.population.fill(connection)
            connection.execute(_SOLD)
        with serving(installation, processes=processes(os.environ)) as port:
            secret = installation.environment["SECRET_KEY"]
            tenants = Tenants(size.population, secret, size.clients)
            slowest = crowd.slowest(port, size.population, secret)
            found = _measure(port, tenants, slowest, size)
        publish(_report(found, slowest, size), installation, keep=not quick)


def _measure(port: int, tenants: Tenants, slowest: Any, size: Size) -> Found:
    """Turn by turn, so that what else the machine does falls on all alike; the first is dropped."""
    found: Found = defaultdict(list)
    for number in range(size.rounds + 1):
        for name in (ALONE, BESIDE):
            neighbour = Neighbour(slowest.requests, CLIENTS) if name == BESIDE else None
            heard = crowd.trade(port, tenants, neighbour, seconds=size.seconds)
            if number:
                found[name].append(heard)
        _say(f"round {number} of {size.rounds}")
    return found


def _report(found: Found, slowest: Any, size: Size) -> Report:
    others = Table(
        "The others, while one asks for all it can get",
        ["", "requests", "p50", "p95", "p95 beside without", "429", "other errors", "foreign rows"],
        [
            _row(found, ALONE, ALONE, TOOK),
            _row(found, BESIDE, f"{BESIDE}, in the first {crowd.FIRST:.0f} s", FIRST),
            _row(found, BESIDE, f"{BESIDE}, from then on", TOOK),
        ],
        _NOTE.format(
            tenants=size.population.even,
            clients=size.clients,
            rounds=size.rounds,
            seconds=size.seconds,
            pause=crowd.PAUSE,
            goal=GOAL,
        ),
    )
    neighbour = Table(
        "The neighbour",
        ["", "answers", "200", *(f"429 `{code}`" for code in CODES), "others"],
        [_answers(found, name) for name in found if name != ALONE],
        "It asks for: "
        + ", ".join(f"`{path}` ({took * 1000:,.0f} ms alone)" for path, took in slowest.pages)
        + ". No statement of its own making can be reached through the API. Files that are "
        "streamed and sockets are not asked for: they pay for the same time, as they go on.",
    )
    data = {
        "milliseconds": {
            name: [[round(s * 1e3, 2) for s in heard.took] for heard in turns]
            for name, turns in found.items()
        },
        "neighbour": {name: [dict(h.neighbour) for h in turns] for name, turns in found.items()},
    }
    return Report("neighbours", "Noisy neighbours", [others, neighbour], data)


_NOTE = """\
{tenants:,} tenants in the shared tables, asked for by {clients} clients, each {pause} s on average
after its last answer, in {rounds} rounds of {seconds:.0f} s of each kind. p50 and p95 are of all
requests together; the ratio is the median of the rounds, with the least and the most. The goal is
{goal}. What is asked in the first seconds of a turn stands apart: the neighbour rested before them,
and spends what it saved. 429s, errors and foreign rows are those of whole turns."""


def _row(found: Found, name: str, shown_as: str, part: Callable[[Heard], list[float]]) -> list[str]:
    turns = found[name]
    took = [seconds * 1000 for heard in turns for seconds in part(heard)]
    pairs = zip(turns, found[ALONE], strict=True)
    compared = Spread.of(_p95(part(one)) / _p95(TOOK(alone)) for one, alone in pairs)
    refused = sum(heard.refused for heard in turns)
    failed = Counter(text for heard in turns for text in heard.failed)
    foreign = sum(heard.foreign for heard in turns)
    p50, p95 = statistics.median(took), _p95(took)
    shown = json.dumps(dict(failed)) if failed else "0"
    times = [milliseconds(p50), milliseconds(p95)]
    return [shown_as, f"{len(took):,}", *times, ratio(compared), str(refused), shown, str(foreign)]


def _answers(found: Found, name: str) -> list[str]:
    total: Counter[str] = sum((heard.neighbour for heard in found[name]), Counter())
    known = ("200", *CODES)
    others = {what: number for what, number in total.items() if what not in known}
    numbers = [f"{total[what]:,}" for what in known]
    return [name, f"{total.total():,}", *numbers, json.dumps(others) if others else "0"]


def _p95(values: list[float]) -> float:
    return statistics.quantiles(values, n=20)[-1]


def _say(words: str) -> None:
    print(f"… {words}", file=sys.stderr, flush=True)
