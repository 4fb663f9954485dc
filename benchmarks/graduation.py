"""A tenant graduates, and comes back, while its clients and its neighbours go on.

`python -m benchmarks graduation`; takes about ten minutes. As many web processes as `make up` runs,
on servers that write to the disk; clients that each place an order, read it and cancel it, again
and again, the tenant's own without a pause. These ask for all that the machine has, so what one of
them waits for is mostly another's turn; a stall is time in which none of them is answered.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from benchmarks.clients import Ask, Stream, exchange
from benchmarks.installation import Installation, installed, python
from benchmarks.processes import Answering
from benchmarks.report import Report, Table, milliseconds, publish
from benchmarks.web import serving
from config.embedded.ports import LOOPBACK

CLIENTS, NEIGHBOURS = 8, 20
ROWS, QUICK = 1_000_000, 50_000
_WARM, _ALONE = 10.0, 40.0  # seconds of trading before anything moves; the first do not count
_PAUSES = {"movers": 0.0, "neighbours": 3.0}  # seconds between an order that is gone and the next
_ORDERS = "/api/v1/orders"
_COMMANDS = {"there": "graduate_tenant", "back": "demote_tenant"}


@dataclass
class Heard:
    """Seconds of each request, in its order, and when a write was answered; orders that were taken,
    and taken back; answers that nobody wanted.
    """

    took: list[float] = field(default_factory=list)
    written: list[float] = field(default_factory=list)
    placed: list[str] = field(default_factory=list)
    canceled: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)


def run(*, quick: bool = False) -> None:
    rows = QUICK if quick else ROWS
    with installed(durable=True) as installation, _people(installation) as people:
        world = people("open", rows=rows, clients=CLIENTS, neighbours=NEIGHBOURS)
        bare = people("bare", slug=world["slug"])
        with serving(installation, processes=os.cpu_count() or 1) as port:
            warm = _traded(world, port, lambda: time.sleep(_WARM))
            found = {"alone": _traded(world, port, lambda: time.sleep(_ALONE))}
            found["bare"] = _traded(world, port, lambda: people("bare", slug=world["slug"]))
            for way, command in _COMMANDS.items():
                found[way] = _traded(world, port, _moves(installation, command, world["slug"]))
        told = {
            name: [one for way in (warm, *found.values()) for one in way[name]]
            for name in ("placed", "canceled", "others")
        }
        kept = people("check", slug=world["slug"], made=rows + CLIENTS, **told)
        publish(_report(found, bare, kept, rows), installation, keep=not quick)


def _moves(installation: Installation, command: str, slug: str) -> Any:
    def move() -> Any:
        told = python(installation.environment, "manage.py", command, slug, "--json")
        return json.loads(told.splitlines()[-1])["steps"]

    return move


@contextmanager
def _people(installation: Installation) -> Iterator[Answering]:
    command = [sys.executable, "-m", "benchmarks.graduation_process"]
    people = Answering("people", command, {**installation.environment, "LOG_LEVEL": "ERROR"})
    try:
        yield people
    finally:
        people.stop()


def _traded(world: dict[str, Any], port: int, act: Callable[[], Any]) -> dict[str, Any]:
    """What the clients of the one and of all others heard while something was done."""
    heard = {"movers": Heard(), "neighbours": Heard()}
    told = asyncio.run(_all_trade(world, port, heard, act))
    mine, others = heard["movers"], heard["neighbours"]
    return {
        "steps": told,
        "longest": max(mine.took),
        "stall": max(later - earlier for earlier, later in pairwise(sorted(mine.written))),
        "p99": _p99(mine.took),
        "others_p99": _p99(others.took),
        "requests": len(mine.took) + len(others.took),
        "failed": [*mine.failed, *others.failed],
        "placed": mine.placed,
        "canceled": mine.canceled,
        "others": others.placed,
    }


async def _all_trade(
    world: dict[str, Any], port: int, heard: dict[str, Heard], act: Callable[[], Any]
) -> Any:
    """Until it has been done; gives what it told."""
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as clients:
        for who, pause in _PAUSES.items():
            for trader in world[who]:
                asked = {**trader, "symbol": world["symbol"]}
                clients.create_task(_trade(asked, port, heard[who], stop, pause))
        try:
            return await asyncio.to_thread(act)
        finally:
            stop.set()


async def _trade(
    trader: dict[str, str], port: int, heard: Heard, stop: asyncio.Event, pause: float
) -> None:
    asked = {"account": trader["account"], "instrument": trader["symbol"], "side": "buy"}
    order = {**asked, "quantity": "1", "type": "limit", "limit_price": "50"}
    token, stream = trader["token"], await asyncio.open_connection(LOOPBACK, port)
    while not stop.is_set():
        place = Ask("POST", f"{_ORDERS}/", token, order, 201)
        placed = await _timed(heard, stream, place)
        if placed is not None:
            heard.placed.append(placed["id"])
            path = f"{_ORDERS}/{placed['id']}/"
            await _timed(heard, stream, Ask("GET", path, token))
            if await _timed(heard, stream, Ask("DELETE", path, token)) is not None:
                heard.canceled.append(placed["id"])
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), pause)
    stream[1].close()


async def _timed(heard: Heard, stream: Stream, ask: Ask) -> dict[str, Any] | None:
    """The answer, if it is the one that was wanted."""
    started = time.perf_counter()
    status, body = await exchange(stream, ask.encoded())
    ended = time.perf_counter()
    heard.took.append(ended - started)
    if ask.method != "GET":
        heard.written.append(ended)
    if status != ask.status:
        heard.failed.append(f"{status} {body[:200]!r}")
        return None
    answer: dict[str, Any] = json.loads(body)
    return answer


def _p99(seconds: list[float]) -> float:
    return statistics.quantiles(seconds, n=100)[-1]


def _report(found: dict[str, Any], bare: dict[str, Any], kept: dict[str, int], rows: int) -> Report:
    tables = [_clients(found), _phases(found, kept, rows), _speed(found, bare)]
    data = {"ways": found, "bare": bare, "kept": kept, "rows": rows}
    return Report("graduation", "A tenant moves while it trades", tables, data)


def _clients(found: dict[str, Any]) -> Table:
    alone = found["alone"]["others_p99"]
    return Table(
        "While clients go on",
        [
            "when",
            "requests",
            "failed",
            "longest request of the tenant",
            "longest without a write of it",
            "p99 of others",
            "times alone",
        ],
        [
            [
                name,
                f"{way['requests']:,}",
                str(len(way["failed"])),
                milliseconds(way["longest"] * 1000),
                milliseconds(way["stall"] * 1000),
                milliseconds(way["others_p99"] * 1000),
                f"{way['others_p99'] / alone:.2f}",
            ]
            for name, way in found.items()
        ],
        f"{CLIENTS} clients of the tenant, without a pause, and one of each of {NEIGHBOURS} others,"
        f" every {_PAUSES['neighbours']:g} seconds, place an order, read it and cancel it. `bare`:"
        " while somebody copies the rows by one statement a table. The goals: none failed, no"
        " 250 ms without a write, p99 of others within 1.2.",
    )


def _phases(found: dict[str, Any], kept: dict[str, int], rows: int) -> Table:
    return Table(
        "Phases",
        ["way", "phase", "seconds", "rows"],
        [
            [way, step["phase"], f"{step['seconds']:.2f}", f"{step.get('rows', 0):,}"]
            for way in _COMMANDS
            for step in found[way]["steps"]
        ],
        f"{rows:,} orders. At the end, of {kept['placed']:,} orders that its clients were told of,"
        f" {kept['found']:,} stand where the tenant lives; of {kept['canceled']:,} taken back,"
        f" {kept['canceled_found']:,} as canceled; {kept['more']:,} that nobody has made; and"
        f" {kept['elsewhere']:,} elsewhere. Of {kept['others']:,} of the neighbours"
        f" {kept['others_found']:,} stand.",
    )


def _speed(found: dict[str, Any], bare: dict[str, Any]) -> Table:
    copied = {
        way: next(step for step in found[way]["steps"] if step["phase"] == "copied")
        for way in _COMMANDS
    }
    copies = {"bare, beside all clients": found["bare"]["steps"], "bare, alone": bare}
    rates = {way: step["rows"] / step["seconds"] for way, step in (copied | copies).items()}
    return Table(
        "The copy, beside a bare `INSERT … SELECT`",
        ["how", "rows a second", *(f"the move {way}, in its times" for way in _COMMANDS)],
        [
            [how, f"{rate:,.0f}", *(f"{rates[way] / rate:.2f}" for way in _COMMANDS)]
            for how, rate in rates.items()
        ],
        "`there` and `back` beside all clients. Bare is one statement a table, into tables with the"
        " same indexes. The goal is 0.5. The move rests a third of its time, and checks references"
        " as well.",
    )
