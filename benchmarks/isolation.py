"""What isolation costs: Bulkhead beside the same application filtered by hand, and beside rivals.

`python -m benchmarks isolation`; takes about half an hour on two cores.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Any

from psycopg import sql

from benchmarks import (
    asking,
    contestants,
    counting,
    entering,
    environments,
    isolation_tables,
    log_ins,
    plans,
    race,
)
from benchmarks.contestants import Contestant
from benchmarks.installation import Installation, installed
from benchmarks.population import Population
from benchmarks.race import Case, Effort
from benchmarks.report import Report, publish
from benchmarks.rivals import entrants

BULKHEAD, HANDWRITTEN = "Bulkhead", "filtered by hand"
ROUTES = ("accounts", "orders", "fills", "positions")
OF_TENANTS = {"trading_account", "trading_order", "trading_fill", "trading_position"}


@dataclass(frozen=True, slots=True)
class Size:
    """How much there is, and how often it is asked for."""

    population: Population
    asked: int  # tenants that take turns
    pair: Effort
    rivals: Effort
    rounds: int


FULL = Size(Population(), 50, Effort(80, 2, 20), Effort(20, 2, 20), 3_000)
QUICK = Size(Population(50, 200, 2_000), 20, Effort(2, 3, 20), Effort(1, 2, 20), 200)


def run(*, quick: bool = False) -> None:
    size = QUICK if quick else FULL
    with installed() as installation:
        _say("filling")
        with installation.superuser() as connection:
            size.population.fill(connection)
            _plain_role(connection, installation.password)
        report = _measure(installation, size)
        publish(report, installation, keep=not quick)


def _measure(installation: Installation, size: Size) -> Report:
    pair, cases = _pair(installation), _cases(size)
    main = [cases["a trader's list"], cases["five statements"]]
    invited, missing = _rivals(installation, size)
    race.rehearse([*pair, *invited], main)
    isolated = race.race(pair, list(cases.values()), size.pair, _say)
    rivalled = race.race([*pair, *invited], main, size.rivals, _say)
    _say("counting")
    counted = {
        case.name: {c.name: counting.count(installation, c, case) for c in [*pair, *invited]}
        for case in main
    }
    _say("entering and plans")
    entered = entering.costs(installation, rounds=size.rounds)
    planned = _plans(pair[0], size.population)
    return isolation_tables.report(
        isolated=isolated,
        rivalled=rivalled,
        counted=counted,
        entered=entered,
        planned=planned,
        missing=missing,
        size=size,
    )


def _plain_role(connection: Any, password: str) -> None:
    """The application's role without walls: BYPASSRLS, and its other settings alike."""
    connection.execute(
        sql.SQL("CREATE ROLE handwritten LOGIN BYPASSRLS PASSWORD {}").format(sql.Literal(password))
    )
    log_ins.start_alike(connection, "handwritten")
    for statement in (
        "GRANT CONNECT ON DATABASE bulkhead TO handwritten",
        "GRANT USAGE ON SCHEMA public TO handwritten",
        "GRANT SELECT ON ALL TABLES IN SCHEMA public TO handwritten",
    ):
        connection.execute(statement)


def _pair(installation: Installation) -> list[Contestant]:
    own, environment = installation.environment["DATABASE_URL"], installation.environment
    plain = installation.log_in("handwritten")
    return [
        Contestant(BULKHEAD, "benchmarks.bulkhead.settings", own, environment),
        Contestant(HANDWRITTEN, "benchmarks.handwritten.settings", plain, environment),
    ]


def _cases(size: Size) -> dict[str, Case]:
    some, big = range(size.asked), range(size.population.big, size.population.big + 1)
    cases = (
        asking.case("a trader's list", asking.traders(some)),
        asking.case("an owner's list", asking.owners(some)),
        asking.case("a trader's list, largest tenant", asking.traders(big)),
        asking.case("an owner's list, largest tenant", asking.owners(big)),
        asking.case("five statements", asking.traders(some), "/five/"),
    )
    return {case.name: case for case in cases}


def _rivals(installation: Installation, size: Size) -> tuple[list[Contestant], dict[str, str]]:
    """Those that could be brought to the start; of the others, why not."""
    invited: list[Contestant] = []
    missing: dict[str, str] = {}
    program = sys.executable
    try:
        program = environments.interpreter(installation.folder / "rivals", entrants.PINNED)
    except environments.NotInstalled as fault:
        missing = {r.package: str(fault) for r in entrants.RIVALS if not r.is_required}
    for rival in entrants.RIVALS:
        if rival.package not in missing:
            _say(f"filling {rival.package}")
            invited += entrants.enter(installation, rival, program, range(size.asked))
    return invited, missing


def _plans(
    bulkhead: Contestant, population: Population
) -> dict[tuple[str, str, str], dict[str, Any]]:
    """The plan of each list route's page, by tenant, scope and route."""
    people = {
        ("one of them", "user"): asking.traders(range(1)),
        ("one of them", "tenant"): asking.owners(range(1)),
        ("the largest", "user"): asking.traders(range(population.big, population.big + 1)),
        ("the largest", "tenant"): asking.owners(range(population.big, population.big + 1)),
    }
    found = {}
    with contestants.started([bulkhead]) as (worker,):
        for (whose, scope), persons in people.items():
            for route in ROUTES:
                requests = asking.case(route, persons, f"/api/v1/{route}/").requests(bulkhead)
                worker("load", requests=requests)
                (statements,) = worker("explain", requests=requests)
                # The other statements of positions read market data, which is everyone's.
                (plan,) = (p for p in statements if plans.tables(p) & OF_TENANTS)
                found[whose, scope, route] = plan
    return found


def _say(words: str) -> None:
    print(f"… {words}", file=sys.stderr, flush=True)
