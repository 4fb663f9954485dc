"""PgBouncer in transaction mode: fifty threads, four connections, not one foreign row."""

from __future__ import annotations

import logging
import os
import random
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from tenants.backend.connection import TenantConnection, TenantCursor
from tenants.backend.opening import entry_statement
from tenants.context import Actor, Scope, TenantContext
from tenants.errors import UnknownTenant
from tests import web
from tests.isolation.database import as_tenant, as_user
from tests.isolation.pooler import pgbouncer
from tests.isolation.world import Trader, World
from tests.web import Server, serve

pytestmark = [pytest.mark.extra, pytest.mark.timeout(900)]
THREADS = 50
REQUESTS = 10_000
OVER_HTTP = int(os.environ.get("POOLER_REQUESTS", "1500"))  # a minute's worth
POOL = 4
NOWHERE = TenantContext(uuid4(), Actor.system("nobody"), Scope.TENANT)


@pytest.fixture(scope="module")
def pooled() -> Iterator[str]:
    """The DSN of the application's role through the pooler."""
    with (
        tempfile.TemporaryDirectory(prefix="bulkhead-pooler-") as folder,
        pgbouncer(Path(folder), pool_size=POOL) as dsn,
    ):
        yield dsn


@pytest.fixture(scope="module")
def pooled_server(pooled: str) -> Iterator[Server]:
    with serve(DATABASE_URL=pooled, LOG_LEVEL="WARNING") as server:
        yield server


def test_ten_thousand_requests_through_four_connections(pooled: str, world: World) -> None:
    """The application's transactions: each in a random tenant, some refused, some broken off."""
    with ThreadPoolExecutor(THREADS) as pool:
        done = list(pool.map(_hammer, [(pooled, world, seed) for seed in range(THREADS)]))
    assert sum(done) > REQUESTS / 2, "BEGIN has carried the ticket"


def _hammer(job: tuple[str, World, int]) -> int:
    """In how many transactions BEGIN has carried the ticket."""
    dsn, world, seed = job
    dice = random.Random(seed)
    where: list[TenantContext | None] = [None]
    carried = 0
    with TenantConnection.connect(
        dsn, prepare_threshold=None, cursor_factory=TenantCursor
    ) as connection:
        connection.tenant_to_enter = lambda: where[0]
        for _ in range(REQUESTS // THREADS):
            where[0] = dice.choice((*_contexts(world), NOWHERE, None))
            carried += connection.context_to_open() is not None
            if where[0] is NOWHERE:
                with pytest.raises(UnknownTenant):
                    connection.execute("SELECT 1")
            else:
                _look(connection, dice, where[0])
            connection.rollback() if dice.random() < 0.5 else connection.commit()
    return carried


def _look(
    connection: psycopg.Connection[Any], dice: random.Random, where: TenantContext | None
) -> None:
    rows = connection.execute("SELECT DISTINCT tenant_id, user_id FROM trading_order").fetchall()
    if where is None:
        assert rows == []
    else:
        assert {tenant_id for tenant_id, _ in rows} == {where.tenant_id}
        assert where.scope is Scope.TENANT or {user for _, user in rows} == {where.actor.user_id}
    if dice.random() < 0.1:
        with pytest.raises(psycopg.Error):
            connection.execute("SELECT 1 / 0")


def _contexts(world: World) -> list[TenantContext]:
    return [enter(trader) for trader in world.traders for enter in (as_tenant, as_user)]


def test_a_transaction_without_a_tenant_sees_nothing_of_the_one_before(
    pooled: str, world: World
) -> None:
    with psycopg.connect(pooled, prepare_threshold=None) as connection:
        for trader in world.traders * 10:
            connection.execute(entry_statement(as_tenant(trader)))
            connection.commit()
            assert connection.execute("SELECT count(*) FROM trading_order").fetchone() == (0,)
            connection.rollback()


def test_the_application_behind_the_pooler_leaks_nothing(
    pooled_server: Server, world: World, caplog: pytest.LogCaptureFixture
) -> None:
    """The same over HTTP: the whole application on four server connections."""
    caplog.set_level(logging.WARNING, logger="httpx")  # it has a line for each request
    dice = random.Random(3)
    jobs = [(pooled_server.url, dice.choice(world.traders), world) for _ in range(OVER_HTTP)]
    with ThreadPoolExecutor(THREADS) as pool:
        assert not [leak for leaks in pool.map(_ask, jobs) for leak in leaks]
    sys.stdout.write(f"{OVER_HTTP} requests by {THREADS} threads on {POOL} connections\n")


def _ask(job: tuple[str, Trader, World]) -> list[str]:
    url, trader, world = job
    answer = web.ask("GET", f"{url}/api/v1/orders/", headers=trader.person.headers, timeout=60)
    assert answer.status_code == 200, answer.text
    assert trader.canary in answer.text
    others = world.strangers_of(trader)
    return [s for other in others for s in other.secrets if s in answer.text]
