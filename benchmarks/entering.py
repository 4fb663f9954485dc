"""What `enter_tenant` costs a transaction, and `proven_tenant` a statement, at the server alone."""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

import psycopg

from benchmarks.installation import Installation
from benchmarks.population import tenant_id, user_id
from tenants import tickets
from tenants.backend import opening

CALLS = 2_000  # of the function in one statement
_PAGE = "SELECT * FROM trading_order WHERE {where} ORDER BY created_at DESC, id DESC LIMIT 51"


@dataclass(frozen=True, slots=True)
class Cost:
    """Medians in milliseconds, with and without."""

    name: str
    bare: float
    inside: float

    @property
    def added(self) -> float:
        return self.inside - self.bare


def costs(installation: Installation, *, rounds: int) -> list[Cost]:
    """Of entering, of proving, and of the two together in one list statement."""
    app, plain = installation.environment["DATABASE_URL"], installation.log_in("handwritten")
    with (
        psycopg.connect(app, autocommit=True) as inside,
        psycopg.connect(plain, autocommit=True) as out,
    ):
        return [
            _entering(installation, inside, rounds),
            *_proving(installation, inside, out, rounds),
        ]


def _ticket(installation: Installation) -> bytes:
    """What rides on BEGIN; it is good for five minutes."""
    ticket = tickets.issue(
        bytes.fromhex(installation.environment["TENANT_TICKET_SECRET"]),
        tenant_id=tenant_id(0),
        user_id=user_id(0, 0),
        scope="user",
        now=time.time(),
    )
    fields = (ticket.tenant_id, ticket.user_id, ticket.scope, ticket.issued_at, ticket.mac.hex())
    return "{{{}}}".format(",".join(map(str, fields))).encode()


def _entry(
    installation: Installation, connection: psycopg.Connection[tuple[object, ...]]
) -> Callable[[], object]:
    """BEGIN as the application sends it."""
    ((kind,),) = connection.execute(opening.TICKET_TYPE)
    assert isinstance(kind, int)
    ticket = _ticket(installation)
    return lambda: connection.pgconn.exec_params(b"BEGIN", [ticket], [kind])


def _entering(
    installation: Installation, connection: psycopg.Connection[tuple[object, ...]], rounds: int
) -> Cost:
    entry = _entry(installation, connection)

    def transaction(begin: Callable[[], object]) -> None:
        begin()
        connection.pgconn.exec_(b"COMMIT")

    bare, inside = _medians(
        lambda: transaction(lambda: connection.pgconn.exec_(b"BEGIN")),
        lambda: transaction(entry),
        rounds,
    )
    return Cost("BEGIN and COMMIT, without and with enter_tenant", bare, inside)


def _proving(
    installation: Installation,
    inside: psycopg.Connection[tuple[object, ...]],
    out: psycopg.Connection[tuple[object, ...]],
    rounds: int,
) -> list[Cost]:
    _entry(installation, inside)()
    out.execute("BEGIN")
    series = f"FROM generate_series(1, {CALLS}) g"
    bare, called = _medians(
        lambda: inside.execute(f"SELECT count(g::text) {series}"),
        lambda: inside.execute(f"SELECT count(public.proven_tenant('public')) {series}"),
        max(rounds // 50, 20),
    )
    own = f"user_id = '{user_id(0, 0)}'"
    by_hand = f"tenant_id = '{tenant_id(0)}' AND {own}"
    page = _medians(
        lambda: out.execute(_PAGE.format(where=by_hand)).fetchall(),
        lambda: inside.execute(_PAGE.format(where=own)).fetchall(),
        rounds,
    )
    return [
        Cost("proven_tenant, a call", bare / CALLS, called / CALLS),
        Cost("a page of 50 orders, filtered by hand and by the walls", *page),
    ]


def _medians(
    one: Callable[[], object], other: Callable[[], object], rounds: int
) -> tuple[float, float]:
    """Both in turn, in random order; medians in milliseconds."""
    took: dict[int, list[int]] = {0: [], 1: []}
    for _ in range(rounds):
        for which in random.sample((0, 1), 2):
            started = time.perf_counter_ns()
            (one, other)[which]()
            took[which].append(time.perf_counter_ns() - started)
    return statistics.median(took[0]) / 1e6, statistics.median(took[1]) / 1e6
