"""A tenant graduates, and comes back, while its clients and its neighbours go on.

`python -m benchmarks graduation`; takes about ten minutes. One web process as `make up` runs it, on
servers that write to the disk; clients that each place an order, read it and cancel it, again and
again, the tenant's own without a pause. They ask for more than the machine has, so what each waits
for is mostly another's turn; a stall is time in which nobody is answered.
"""

from __future__ import annotations

import json
import statistics
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import httpx

from benchmarks.installation import Installation, installed, python
from benchmarks.processes import Answering
from benchmarks.report import Report, Table, milliseconds, publish
from benchmarks.web import serving

CLIENTS, NEIGHBOURS = 8, 20
ROWS, QUICK = 1_000_000, 50_000
_WARM, _ALONE = 10.0, 40.0  # seconds of trading before anything moves; the first do not count
_PAUSES = {"movers": 0.0, "neighbours": 1.0}  # seconds between an order that is gone and the next
_COMMANDS = {"there": "graduate_tenant", "back": "demote_tenant"}


@dataclass
class Heard:
    """Seconds of each request, in its order, and when a write was answered; orders that were taken;
    answers that nobody wanted.
    """

    took: list[float] = field(default_factory=list)
    written: list[float] = field(default_factory=list)
    placed: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)


def run(*, quick: bool = False) -> None:
    rows = QUICK if quick else ROWS
    with installed(durable=True) as installation, _people(installation) as people:
        world = people("open", rows=rows, clients=CLIENTS, neighbours=NEIGHBOURS)
        bare = people("bare", slug=world["slug"])
        with serving(installation) as port:
            _traded(world, port, lambda: time.sleep(_WARM))
            found = {"alone": _traded(world, port, lambda: time.sleep(_ALONE))}
            found["bare"] = _traded(world, port, lambda: people("bare", slug=world["slug"]))
            for way, command in _COMMANDS.items():
                found[way] = _traded(world, port, _moves(installation, command, world["slug"]))
        placed = [one for way in found.values() for one in way["placed"]]
        kept = people("check", slug=world["slug"], ids=placed)
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


def _traded(world: dict[str, Any], port: int, act: Any) -> dict[str, Any]:
    """What the clients of the one and of all others heard while something was done."""
    stop = threading.Event()
    heard = {"movers": Heard(), "neighbours": Heard()}
    clients = [
        threading.Thread(
            target=_trade,
            args=[{**trader, "symbol": world["symbol"]}, port, heard[who], stop, pause],
        )
        for who, pause in _PAUSES.items()
        for trader in world[who]
    ]
    for client in clients:
        client.start()
    try:
        told = act()
    finally:
        stop.set()
        for client in clients:
            client.join()
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
    }


def _trade(
    trader: dict[str, str], port: int, heard: Heard, stop: threading.Event, pause: float
) -> None:
    headers = {"Authorization": f"Bearer {trader['token']}", "Host": "localhost"}
    base = f"http://127.0.0.1:{port}/api/v1"
    asked = {"account": trader["account"], "instrument": trader["symbol"], "side": "buy"}
    order = {**asked, "quantity": "1", "type": "limit", "limit_price": "50"}
    with httpx.Client(base_url=base, headers=headers, timeout=30) as client:
        while not stop.is_set():
            placed = _timed(heard, client, "POST", "/orders/", json=order)
            if placed.status_code == httpx.codes.CREATED:
                one = placed.json()["id"]
                heard.placed.append(one)
                for method in ("GET", "DELETE"):
                    _timed(heard, client, method, f"/orders/{one}/")
            time.sleep(pause)


def _timed(
    heard: Heard, client: httpx.Client, method: str, path: str, **more: Any
) -> httpx.Response:
    started = time.perf_counter()
    answer = client.request(method, path, **more)
    ended = time.perf_counter()
    heard.took.append(ended - started)
    if method != "GET":
        heard.written.append(ended)
    if answer.status_code not in (httpx.codes.CREATED, httpx.codes.OK):
        heard.failed.append(f"{answer.status_code} {answer.text[:200]}")
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
        " each second, place an order, read it and cancel it. `bare`: while somebody copies the"
        " rows by one statement a table. The goals: none failed, no 250 ms without a write, p99 of"
        " others within 1.2.",
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
        f"{rows:,} orders. {kept['found']:,} of {kept['asked']:,} orders that were answered 201"
        " stand where the tenant lives at the end.",
    )


def _speed(found: dict[str, Any], bare: dict[str, Any]) -> Table:
    copied = next(step for step in found["there"]["steps"] if step["phase"] == "copied")
    beside = found["bare"]["steps"]
    rate, *bare_rates = (made["rows"] / made["seconds"] for made in (copied, beside, bare))
    names = ("bare, beside all clients", "bare, alone")
    return Table(
        "The copy, beside a bare `INSERT … SELECT`",
        ["how", "rows a second", "the move, in its times"],
        [
            ["of the move, beside all clients", f"{rate:,.0f}", "1"],
            *(
                [name, f"{bare_rate:,.0f}", f"{rate / bare_rate:.2f}"]
                for name, bare_rate in zip(names, bare_rates, strict=True)
            ),
        ],
        "Bare is one statement a table, into tables with the same indexes. The goal is 0.5. The"
        " move rests a third of its time, and checks references as well.",
    )
