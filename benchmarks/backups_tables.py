"""The tables of what backups cost."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from typing import Any

from benchmarks.race import Spread
from benchmarks.report import Report, Table, milliseconds, ratio

Found = dict[str, Any]
# What the command says when a part is over, and what that part is.
_PARTS = {
    "WAL brought": "Python started, and the WAL so far brought",
    "copy brought": "copies brought, unpacked and checked",
    "copies combined": "copies combined",
    "WAL gone through": "a server started on them, and WAL gone through to the instant",
    "tenant taken out": "the tenant taken out, as a backup",
    "the archive is whole": "the archive read and checked",
    "its rows are beside": "its rows staged beside the live ones, and read out again",
    "the present state": "a backup of the present state: the tenant waits from here on",
    "exchanged": "compared, swapped, compared again: the tenant waits",
    "put back": "told",
}


def report(found: Found) -> Report:
    size = found["size"]
    tables = [
        _speed(found),
        _dumps(found),
        _memory(found["memory"]),
        _beside(found["beside"], size),
        _locks(found["beside"]),
        _phases(found["instants"], size),
        _exchange(found["exchange"]),
    ]
    heading = (
        f"What backups cost: a tenant of {size['rows']:,} rows among {size['others'] + 2} that"
        " share tables"
    )
    return Report("backups", heading, tables, _numbers(found))


def _speed(found: Found) -> Table:
    rounds, rows = found["speed"], found["speed"][0]["backup"]["rows"]
    names = {
        "backup": "backup: compressed, sealed, on the disk, counted, noted",
        "psql": "bare `COPY`, by `psql` to `/dev/null`",
        "driver": "bare `COPY`, by the driver that the backup uses",
    }
    return Table(
        "Beside a bare COPY of the same rows",
        ["how", "seconds", "rows a second", "the backup, in its rate"],
        [
            [
                title,
                f"{_median(rounds, name, 'seconds'):.2f}",
                f"{rows / _median(rounds, name, 'seconds'):,.0f}",
                ratio(_against(rounds, name, "backup", "seconds")),
            ]
            for name, title in names.items()
        ],
        f"{rows:,} rows; medians of {len(rounds)} rounds, ways in random order, the ratio round by"
        " round (least to most). All by the backup's log-in, with the same WHERE. The goal is 0.5"
        " of the bare one.",
    )


def _dumps(found: Found) -> Table:
    rows = []
    for placement, rounds in found["dumps"].items():
        for name in rounds[0]:
            rows.append(
                [
                    placement,
                    name,
                    f"{_median(rounds, name, 'seconds'):.2f}",
                    ratio(_against(rounds, "backup", name, "seconds")),
                    f"{rounds[0][name]['size'] / 2**20:.1f} MiB",
                    f"{rounds[0][name]['size'] / rounds[0]['backup']['size']:.2f}",
                ]
            )
    header = ["tenant", "how", "seconds", "to the backup's", "size", "to the backup's"]
    return Table(
        "Beside `pg_dump -Fc`",
        header,
        rows,
        "No `pg_dump` takes a part of a table: what is dumped of the tenant on shared tables is a"
        " copy of its rows, in order, in tables of a schema made for that; of the other one it is"
        " its schema. `-Fc` compresses by gzip, the embedded build knows no zstd; only the backup"
        " is sealed.",
    )


def _memory(memory: Found) -> Table:
    small = memory["small"]["peak"]
    return Table(
        "The most memory that a process had which took one backup",
        ["rows", "memory", "to that with few"],
        [
            [f"{m['rows']:,}", f"{m['peak'] / 2**20:.1f} MiB", f"{m['peak'] / small:.2f}"]
            for m in memory.values()
        ],
        "Resident, with Python and Django; a process of its own for each. The goal is that it does"
        " not grow.",
    )


def _beside(turns: Sequence[Found], size: Found) -> Table:
    rows = []
    for kind in ("reads", "writes"):
        pairs = [(_p99(turn["beside"][kind]), _p99(turn["alone"][kind])) for turn in turns]
        took = {name: _pooled(turns, name, kind) for name in ("alone", "beside")}
        rows.append(
            [
                kind,
                f"{len(took['alone']):,} and {len(took['beside']):,}",
                *(milliseconds(_p99(took[name]) * 1000) for name in took),
                f"{_p99(took['beside']) / _p99(took['alone']):.3f}",
                ratio(Spread.of(beside / alone for beside, alone in pairs)),
                *(milliseconds(statistics.median(took[name]) * 1000) for name in took),
            ]
        )
    failed = sum(len(turn[name]["failed"]) for turn in turns for name in turn)
    backups = sum(len(turn["beside"]["backups"]) for turn in turns)
    header = ["others'", "requests", "p99 alone", "p99 beside", "of all", "of a turn"]
    return Table(
        "The others, while backups are taken",
        [*header, "p50 alone", "p50 beside"],
        rows,
        f"{len(turns)} turns of {size['seconds']:.0f} s without and with backups, one after the"
        f" other, {backups} in all. Meanwhile 8 clients of that tenant place orders and cancel"
        " them, and one of each of 16 others also reads its newest, by HTTP, a moment after the"
        f" last answer. {failed} requests failed. The goal is 1.1. Clients, web, server and backup"
        " share the machine's cores.",
    )


def _locks(turns: Sequence[Found]) -> Table:
    rows = []
    for name in ("alone", "beside"):
        waits = [turn[name]["waits"] for turn in turns]
        total = {key: sum(each[key] for each in waits) for key in waits[0]}
        rows.append([name, *(f"{total[key]:,}" for key in ("looks", "any", "of_backups"))])
    return Table(
        "Locks",
        ["when", "looks at `pg_locks`", "with somebody waiting", "for or because of a backup"],
        rows,
        "Every 20 ms. Who trades in one tenant waits for its own people now and then.",
    )


def _phases(instants: Sequence[Found], size: Found) -> Table:
    spent: dict[str, list[float]] = {part: [] for part in (*_PARTS.values(), "the rest")}
    for instant in instants:
        for part, seconds in _parts(instant["phases"]).items():
            spent[part].append(seconds)
    totals = [sum(seconds for _, seconds in instant["phases"]) for instant in instants]
    full, since = instants[0]["full"], [each["incremental"] for each in instants]
    rows = [
        ["before: `backup_platform`", f"{sum(full['seconds'].values()):.2f}"],
        [
            "before: `backup_platform --incremental`",
            f"{statistics.median(sum(each['seconds'].values()) for each in since):.2f}",
        ],
        *(
            [part, f"{statistics.median(seconds):.2f}"]
            for part, seconds in spent.items()
            if seconds
        ),
        ["all of `restore_tenant --at`", f"{statistics.median(totals):.2f}"],
    ]
    alone, beside = (
        [took for each in instants for kind in ("reads", "writes") for took in each[name][kind]]
        for name in ("alone", "beside")
    )
    failed = sum(len(each["beside"]["failed"]) for each in instants)
    return Table(
        "One tenant back to an instant",
        ["phase", "seconds"],
        rows,
        f"Of a platform of {2 * size['rows']:,} rows, {full['size'] / 2**20:,.0f} MiB in the"
        f" storage; medians of {len(instants)}. After each the tenant had what it had then, by a"
        f" checksum of each table. The others went on: {len(beside):,} requests, {failed} failed,"
        f" p99 {milliseconds(_p99(beside) * 1000)} beside {milliseconds(_p99(alone) * 1000)}"
        " before. The goal is two minutes.",
    )


def _parts(phases: Iterable[Sequence[Any]]) -> dict[str, float]:
    found: dict[str, float] = {}
    for line, seconds in phases:
        part = next((part for begins, part in _PARTS.items() if line.startswith(begins)), "")
        found[part or "the rest"] = found.get(part or "the rest", 0.0) + seconds
    return found


def _exchange(rounds: Sequence[Found]) -> Table:
    names = {
        "merged": "merge: compared, what differs exchanged, compared again",
        "compared": "of that, one comparison",
        "anew": "all deleted, all inserted, and nothing compared",
    }
    return Table(
        "A restore by merge, beside all anew",
        ["how", "seconds", "to the merge"],
        [
            [
                title,
                f"{statistics.median(each[name] for each in rounds):.2f}",
                ratio(Spread.of(each[name] / each["merged"] for each in rounds)),
            ]
            for name, title in names.items()
        ],
        f"From the same staged rows, in random order, taken back each time; {len(rounds)} rounds."
        " About one order and event in sixty has changed since.",
    )


def _against(rounds: Sequence[Found], name: str, base: str, what: str) -> Spread:
    return Spread.of(each[name][what] / each[base][what] for each in rounds)


def _median(rounds: Sequence[Found], name: str, what: str) -> float:
    return statistics.median(each[name][what] for each in rounds)


def _pooled(turns: Sequence[Found], name: str, kind: str) -> list[float]:
    return [took for turn in turns for took in turn[name][kind]]


def _p99(seconds: Sequence[float]) -> float:
    return statistics.quantiles(seconds, n=100)[-1]


def _numbers(found: Found) -> Found:
    """Every round, so that whoever doubts a median can look; times of requests in milliseconds."""
    return {**found, **{name: _short(found[name]) for name in ("beside", "instants")}}


def _short(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _short(each) for name, each in value.items()}
    if isinstance(value, list):
        is_took = value and all(isinstance(each, float) for each in value)
        return [round(s * 1e3, 2) for s in value] if is_took else [_short(v) for v in value]
    return value
