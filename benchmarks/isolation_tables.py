"""The tables of what isolation costs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from benchmarks import plans, race
from benchmarks.counting import Count
from benchmarks.entering import Cost
from benchmarks.race import Results
from benchmarks.report import Report, Table, estimate, milliseconds

BASE, OURS = "filtered by hand", "Bulkhead"
Plans = Mapping[tuple[str, str, str], dict[str, Any]]
Counted = Mapping[str, Mapping[str, Count]]


def report(
    *,
    isolated: Results,
    rivalled: Results,
    counted: Counted,
    entered: Sequence[Cost],
    planned: Plans,
    missing: Mapping[str, str],
    size: Any,
) -> Report:
    population = size.population
    data = {
        "size": asdict(size),
        "isolation": _numbers(isolated),
        "rivals": _numbers(rivalled),
        "missing": dict(missing),
        "counts": {
            case: {who: asdict(count) for who, count in counts.items()}
            for case, counts in counted.items()
        },
        "entering": [{**asdict(cost), "added": cost.added} for cost in entered],
        "plans": {" / ".join(key): plan for key, plan in planned.items()},
    }
    heading = f"What isolation costs: {population.even:,} tenants and {population.orders:,} orders"
    tables = [
        _isolation(isolated),
        _parts(isolated),
        _rivals(rivalled, counted, missing),
        _counts(counted),
        _statements(counted),
        _entering(entered),
        _plans(planned),
    ]
    return Report("isolation", heading, tables, data)


def _isolation(results: Results) -> Table:
    rows = [
        [
            case,
            estimate(race.ratios(batches, OURS, BASE, "cpu")),
            estimate(race.ratios(batches, OURS, BASE, "latency")),
            milliseconds(race.medians(batches, OURS, "latency")),
            milliseconds(race.medians(batches, BASE, "latency")),
        ]
        for case, batches in results.items()
    ]
    batches = len(next(iter(results.values()))[BASE])
    return Table(
        "Bulkhead to the same application filtered by hand",
        ["50 rows of orders", "CPU time", "latency", OURS, BASE],
        rows,
        f"Ratios are medians of {batches} batches, and between which two the median lies in 95 of"
        " 100 cases; 1.000 would be free. Each batch has processes of its own; the cores are kept"
        " awake (benchmarks/awake.py says why)."
        " CPU time is the application's and the server's together;"
        " latency is a request's median. The goal is 1.05.",
    )


def _parts(results: Results) -> Table:
    rows = [
        [
            case,
            milliseconds(race.medians(batches, OURS, "process")),
            milliseconds(race.medians(batches, BASE, "process")),
            milliseconds(race.medians(batches, OURS, "backend")),
            milliseconds(race.medians(batches, BASE, "backend")),
        ]
        for case, batches in results.items()
    ]
    header = ["CPU time", f"application, {OURS}", f"{BASE}", f"server, {OURS}", f"{BASE}"]
    return Table("Where the CPU time goes", header, rows)


def _rivals(results: Results, counted: Counted, missing: Mapping[str, str]) -> Table:
    rows = [
        [
            case,
            who,
            estimate(race.ratios(batches, who, BASE, "cpu")),
            estimate(race.ratios(batches, who, BASE, "latency")),
            *(estimate(race.ratios(batches, OURS, who, name)) for name in ("cpu", "latency")),
            f"{counted[case][who].round_trips:g}",
        ]
        for case, batches in results.items()
        for who in batches
        if who != BASE
    ]
    absent = "".join(f" {who} could not be installed: {why}." for who, why in missing.items())
    note = (
        "CPU time and latency to the one filtered by hand, then Bulkhead's to theirs, batch by"
        " batch (below 1, Bulkhead is ahead), in one run. Every package takes part as it comes, and"
        " with a transaction for each request, as Bulkhead and the one filtered by hand have."
        " USE_LOCAL_SET leaves binding to the client: PostgreSQL binds no value of a SET LOCAL."
    )
    ours = [f"{OURS}'s CPU time to it", f"{OURS}'s latency to it"]
    header = ["request", "who", "CPU time", "latency", *ours, "round trips"]
    return Table("Rivals", header, rows, note + absent)


def _counts(counted: Counted) -> Table:
    rows = [
        [
            case,
            who,
            f"{count.round_trips:g}",
            f"{count.statements:g}",
            ", ".join(f"{number:g} {name}" for name, number in count.messages.items()),
        ]
        for case, counts in counted.items()
        for who, count in counts.items()
    ]
    return Table(
        "Statements and round trips of a request",
        ["request", "who", "round trips", "statements logged", "messages"],
        rows,
        "Round trips and messages are counted on the wire by a relay, statements by the server's"
        " log. Bulkhead's BEGIN carries the ticket as its bound value, whose type calls"
        " enter_tenant when PostgreSQL reads it, and goes together with the first statement.",
    )


def _statements(counted: Counted) -> Table:
    first = next(iter(counted.values()))
    rows = [[who, "<br>".join(f"`{line}`" for line in c.logged)] for who, c in first.items()]
    return Table("What the server logged for one list", ["who", "statements"], rows)


def _entering(costs: Sequence[Cost]) -> Table:
    rows = [[cost.name, *map(_micro, (cost.bare, cost.inside, cost.added))] for cost in costs]
    note = "Medians of one connection without Django, both in turn in random order."
    return Table("Entering and proving", ["what", "without", "with", "added"], rows, note)


def _micro(milliseconds_: float) -> str:
    return f"{milliseconds_:.4f} ms"


def _plans(planned: Plans) -> Table:
    rows = [
        [
            route,
            scope,
            whose,
            ", ".join(plans.indexes(plan)),
            "no" if not plans.sequential(plan) else "YES",
            "no" if plans.is_in_order(plan) else "YES",
            str(plans.pages(plan)),
        ]
        for (whose, scope, route), plan in _by_route(planned)
    ]
    return Table(
        "Plans of the list routes",
        ["route", "scope", "tenant", "index", "Seq Scan", "sorts", "pages"],
        rows,
        "EXPLAIN (ANALYZE, BUFFERS) of the statement that the view ran. Among 1,000 tenants of its"
        " own, tests/isolation/test_plans.py asserts of these lists that they read indexes that"
        " begin with tenant_id, and no tenant table from end to end.",
    )


def _by_route(planned: Plans) -> Iterator[tuple[tuple[str, str, str], dict[str, Any]]]:
    yield from sorted(planned.items(), key=lambda item: (item[0][2], item[0][1], item[0][0]))


def _numbers(results: Results) -> dict[str, Any]:
    """Every batch, so that whoever doubts a median can look."""
    return {
        case: {who: [asdict(batch) for batch in series] for who, series in batches.items()}
        for case, batches in results.items()
    }
