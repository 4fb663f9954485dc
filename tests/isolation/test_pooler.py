"""PgBouncer in transaction mode: fifty threads, four connections, not one foreign row."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from tenants.backend.opening import entry_statement
from tests import web
from tests.isolation.database import as_tenant
from tests.isolation.pooler import pgbouncer
from tests.isolation.world import Trader, World
from tests.web import Server, serve

pytestmark = [pytest.mark.extra, pytest.mark.timeout(300)]
THREADS = 50
REQUESTS = 10_000
POOL = 4


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
    """Raw transactions: each enters a random tenant, reads, and sometimes breaks off halfway."""
    with ThreadPoolExecutor(THREADS) as pool:
        foreign = sum(pool.map(_hammer, [(pooled, world, seed) for seed in range(THREADS)]))
    assert foreign == 0


def _hammer(job: tuple[str, World, int]) -> int:
    dsn, world, seed = job
    dice = random.Random(seed)
    with psycopg.connect(dsn, prepare_threshold=None) as connection:
        return sum(_one(connection, dice, world) for _ in range(REQUESTS // THREADS))


def _one(connection: psycopg.Connection, dice: random.Random, world: World) -> int:
    """The number of foreign rows that one transaction of a random tenant saw."""
    trader = dice.choice(world.traders)
    connection.execute(entry_statement(as_tenant(trader)))
    rows = connection.execute("SELECT DISTINCT tenant_id FROM trading_order").fetchall()
    path = connection.execute("SHOW search_path").fetchone()
    foreign = [row for row in rows if row != (trader.person.tenant.id,)]
    schema = trader.person.tenant.live_schema
    assert path is not None
    assert path[0].startswith(schema)
    if dice.random() < 0.1:
        with pytest.raises(psycopg.Error):
            connection.execute("SELECT 1 / 0")
    connection.rollback() if dice.random() < 0.5 else connection.commit()
    assert rows
    return len(foreign)


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
    pooled_server: Server, world: World
) -> None:
    """The same over HTTP: the whole application on four server connections."""
    dice = random.Random(3)
    jobs = [(pooled_server.url, dice.choice(world.traders), world) for _ in range(600)]
    with ThreadPoolExecutor(16) as pool:
        assert not [leak for leaks in pool.map(_ask, jobs) for leak in leaks]


def _ask(job: tuple[str, Trader, World]) -> list[str]:
    url, trader, world = job
    answer = web.ask("GET", f"{url}/api/v1/orders/", headers=trader.person.headers, timeout=60)
    assert answer.status_code == 200, answer.text
    assert trader.canary in answer.text
    others = world.strangers_of(trader)
    return [s for other in others for s in other.secrets if s in answer.text]
