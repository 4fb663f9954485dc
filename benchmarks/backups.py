"""What backups cost: beside a bare COPY and `pg_dump`, and what the others notice of them.

`python -m benchmarks backups`; takes about half an hour. A tenant of a million rows among two
hundred in the shared tables, which have two million; servers that write to the disk, one web
process as `make up` runs it.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from itertools import chain
from pathlib import Path
from typing import Any

from benchmarks import backups_rows, backups_tables
from benchmarks.backups_clients import Clients, Heard, watched
from benchmarks.backups_rows import Seat
from benchmarks.installation import ROOT, Installation, installed, python
from benchmarks.processes import Answering
from benchmarks.report import publish
from benchmarks.web import serving
from config.embedded import binaries

CLIENTS, NEIGHBOURS = 8, 16
Found = dict[str, Any]
Ways = dict[str, Callable[[], Found]]


@dataclass(frozen=True, slots=True)
class Size:
    """Rows of the large tenant, of the small one, and how many others there are beside those two,
    which have as many as the large one; how often what is compared is done, and for how long."""

    rows: int
    small: int
    others: int
    rounds: int
    turns: int
    seconds: float  # of each turn
    instants: int
    exchanges: int


FULL = Size(1_000_000, 10_000, 198, 7, 10, 30.0, 3, 3)
QUICK = Size(30_000, 3_000, 18, 2, 1, 4.0, 1, 1)


@dataclass(frozen=True, slots=True)
class Bench:
    """Where it is measured, by a process as a worker's; and who is there."""

    installation: Installation
    process: Answering
    seats: dict[str, list[dict[str, str]]]
    symbol: str
    size: Size

    @property
    def large(self) -> dict[str, str]:
        return self.seats["large"][0]

    def seat(self, name: str) -> list[Seat]:
        return [Seat(each["tenant"], each["user"]) for each in self.seats[name]]


def run(*, quick: bool = False) -> None:
    size = QUICK if quick else FULL
    with installed(durable=True) as installation, _process(installation) as process:
        _say("filling")
        told = process("open", others=size.others, clients=CLIENTS, neighbours=NEIGHBOURS)
        bench = Bench(installation, process, told["seats"], told["symbol"], size)
        _fill(bench)
        found: Found = {"size": asdict(size)}
        found["speed"] = _speed(bench)
        found["memory"] = _memory(bench)
        with serving(installation) as port:
            found["beside"] = _beside(bench, port)
            found["instants"] = _instants(bench, port)
        process("forget")
        found["exchange"] = _exchange(bench)
        found["dumps"] = _dumps(bench)
        publish(backups_tables.report(found), installation, keep=not quick)


@contextmanager
def _process(installation: Installation) -> Iterator[Answering]:
    command = [sys.executable, "-m", "benchmarks.backups_process"]
    process = Answering("backups", command, {**installation.environment, "LOG_LEVEL": "ERROR"})
    try:
        yield process
    finally:
        process.stop()


def _fill(bench: Bench) -> None:
    """Every other row of the shared tables is the large tenant's."""
    (large,) = bench.seat("large")
    turns = [seat for other in bench.seat("rest") for seat in (large, other)]
    with bench.installation.superuser() as connection:
        backups_rows.fill(connection, turns, 2 * bench.size.rows)
        backups_rows.fill(connection, bench.seat("small"), bench.size.small)


def _speed(bench: Bench) -> list[Found]:
    _say("beside a bare COPY")
    slug = bench.large["slug"]
    psql = [str(binaries.postgres("psql")), "--no-psqlrc", "--quiet", _url(bench)]
    for statement in bench.process("statements", slug=slug):
        psql += ["--command", statement]
    ways: Ways = {
        "backup": lambda: bench.process("take", slug=slug),
        "psql": lambda: {"seconds": _ran(psql)},
        "driver": lambda: bench.process("bare", slug=slug),
    }
    return _rounds(ways, bench.size.rounds)


def _memory(bench: Bench) -> dict[str, Found]:
    """In a process of its own each: what one has had it never gives back."""
    found = {}
    for name in ("small", "large"):
        with _process(bench.installation) as fresh:
            found[name] = fresh("take", slug=bench.seats[name][0]["slug"])
    return found


def _beside(bench: Bench, port: int) -> list[dict[str, Found]]:
    """Turn by turn, so that what else the machine does falls on both alike; the first is for
    warming up."""
    seconds, turns = bench.size.seconds, []
    ways: dict[str, Callable[[], Any]] = {
        "alone": lambda: time.sleep(seconds),
        "beside": lambda: _again_and_again(bench, seconds),
    }
    for number in range(bench.size.turns + 1):
        turn = {}
        for name in random.sample(list(ways), len(ways)):
            clients = Clients(port, bench.symbol, bench.process("tokens"))
            with watched(bench.installation) as waits:
                heard, told = clients.trade(ways[name])
            turn[name] = {**asdict(heard), "waits": asdict(waits), "backups": told or []}
        turns.append(turn)
        _say(f"others beside a backup: turn {number} of {bench.size.turns}")
    return turns[1:]


def _again_and_again(bench: Bench, seconds: float) -> list[Found]:
    end, taken = time.monotonic() + seconds, []
    while time.monotonic() < end:
        taken.append(bench.process("take", slug=bench.large["slug"]))
    return taken


def _instants(bench: Bench, port: int) -> list[Found]:
    """The large tenant goes back to what it was, while the others trade."""
    found = []
    full = _command(bench.installation, "backup_platform")
    for number in range(bench.size.instants):
        since, was = _days(bench, number)
        others = {"others": bench.process("tokens")["others"]}
        alone, beside, phases = _gone_back(bench, Clients(port, bench.symbol, others), was["at"])
        if bench.process("sums", slug=bench.large["slug"])["tables"] != was["tables"]:
            raise AssertionError("The tenant is not what it was.")
        heard = {"alone": asdict(alone), "beside": asdict(beside)}
        found.append({"full": full, "incremental": since, "phases": phases, **heard})
        _say(f"back to an instant: {number + 1} of {bench.size.instants}")
    return found


def _days(bench: Bench, number: int) -> tuple[Found, Found]:
    """A day, a copy of what has changed, another day, an instant, and a day after it; gives what
    the copy was and what the tenant had at the instant."""
    first = 3 * number
    with bench.installation.superuser() as connection:
        backups_rows.change(connection, bench.large["tenant"], first)
        since = _command(bench.installation, "backup_platform", "--incremental")
        backups_rows.change(connection, bench.large["tenant"], first + 1)
        was = bench.process("sums", slug=bench.large["slug"])
        backups_rows.change(connection, bench.large["tenant"], first + 2)
    return since, was


def _gone_back(bench: Bench, clients: Clients, at: str) -> tuple[Heard, Heard, list[Any]]:
    alone, _ = clients.trade(lambda: time.sleep(bench.size.seconds))
    beside, phases = clients.trade(lambda: _restored(bench, at))
    return alone, beside, phases


def _restored(bench: Bench, at: str) -> list[tuple[str, float]]:
    """What the command says, and the seconds until it does; the last are those until its end."""
    slug = bench.large["slug"]
    command = [sys.executable, "manage.py", "restore_tenant", slug, "--at", at]
    environment = {**os.environ, **bench.installation.environment, "PYTHONUNBUFFERED": "1"}
    phases, since = [], time.perf_counter()
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True
    ) as restoring:
        assert restoring.stdout
        for line in chain(restoring.stdout, ["the end"]):
            now = time.perf_counter()
            phases.append((line.strip().removeprefix(f"{slug}: "), now - since))
            since = now
    if restoring.returncode:
        raise RuntimeError(f"restore_tenant failed: {phases}")
    return phases


def _exchange(bench: Bench) -> list[Found]:
    """A backup of before a day is put back in two ways."""
    _say("merging, and all anew")
    slug = bench.large["slug"]
    taken = bench.process("take", slug=slug, is_kept=True)
    with bench.installation.superuser() as connection:
        backups_rows.change(connection, bench.large["tenant"], 3 * bench.size.instants)
    rounds: list[Found] = bench.process(
        "exchange", slug=slug, backup=taken["backup"], rounds=bench.size.exchanges
    )
    return rounds


def _dumps(bench: Bench) -> dict[str, list[Found]]:
    """Of the tenant on shared tables a copy is dumped, for there is no dump of a part."""
    _say("beside pg_dump")
    (dedicated,) = bench.seats["dedicated"]
    with bench.installation.superuser() as connection:
        tables = bench.process("tables")
        schema = backups_rows.copy(connection, bench.large["tenant"], tables)
        backups_rows.fill(
            connection, bench.seat("dedicated"), bench.size.rows, schema=dedicated["schema"]
        )
    return {
        name: _rounds(_ways_to_dump(bench, slug, of), bench.size.rounds)
        for name, slug, of in (
            ("shared", bench.large["slug"], schema),
            ("dedicated", dedicated["slug"], dedicated["schema"]),
        )
    }


def _ways_to_dump(bench: Bench, slug: str, schema: str) -> Ways:
    file = bench.installation.folder / "dump"
    dump = [str(binaries.postgres("pg_dump")), f"--dbname={_url(bench)}", f"--schema={schema}"]
    dump += ["--format=custom", f"--file={file}"]
    return {
        "backup": lambda: bench.process("take", slug=slug),
        "pg_dump": lambda: _dumped(dump, file),
    }


def _dumped(command: list[str], file: Path) -> Found:
    return {"seconds": _ran(command), "size": file.stat().st_size}


def _rounds(ways: Ways, rounds: int) -> list[Found]:
    """In each all ways, in random order; the first is for warming up."""
    found = []
    for _ in range(rounds + 1):
        order = random.sample(list(ways), len(ways))
        found.append({name: ways[name]() for name in order})
    return found[1:]


def _ran(command: list[str]) -> float:
    """Seconds of a program from its start to its end, its output thrown away."""
    began = time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - began


def _command(installation: Installation, *words: str) -> Found:
    told = python(installation.environment, "manage.py", *words, "--json")
    return dict(json.loads(told.splitlines()[-1]))


def _url(bench: Bench) -> str:
    return bench.installation.environment["DATABASE_BACKUP_URL"]


def _say(words: str) -> None:
    print(f"… {words}", file=sys.stderr, flush=True)
