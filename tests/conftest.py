"""What every test has: databases open, sockets closed to the world, and a cast of people."""

from __future__ import annotations

import inspect
import os
import time
from collections.abc import Iterator

import psycopg
import pytest
from django.db import connections
from pytest_django.plugin import DjangoDbBlocker

from tenants.lifecycle import turns
from tests import tiers
from tests.cast import House, build_house, build_whole_house
from tests.web import Server, serve

_SLEEP = """
UPDATE tenants_tenant SET status = 'suspended'
 WHERE id = ANY (%s) AND status NOT IN ('deleting', 'deleted')
"""


@pytest.fixture(scope="session", autouse=True)
def _databases(django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Tests commit, like production; there is no transaction around them and no flush."""
    with django_db_blocker.unblock():
        yield
        for connection in connections.all(initialized_only=True):
            connection.close()
            if connection.alias == "default":
                connection.close_pool()


@pytest.fixture(autouse=True)
def _connections_come_back() -> Iterator[None]:
    """A thread that keeps its connection starves the tests after it, so it fails here."""
    before = _connections_out()
    yield
    deadline = time.monotonic() + 5
    while _connections_out() > before + 1 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert _connections_out() <= before + 1, "close the connections of threads that end"


def _connections_out() -> int:
    """How many are out of the pool but for this thread's."""
    default = connections["default"]
    counts = default.pool.get_stats()
    own = default.connection is not None
    return int(counts["pool_size"] - counts["pool_available"] - own)


@pytest.fixture(scope="session")
def django_db_setup() -> None:
    """The plugin `tests.servers` has made and migrated the database."""


@pytest.fixture(params=tiers.TIERS)
def tier(request: pytest.FixtureRequest) -> str:
    """Both ways to live: in `public` behind policies, and in a schema of one's own."""
    return str(request.param)


@pytest.fixture
def schemas_lock(monkeypatch: pytest.MonkeyPatch) -> str:
    """What migrations and moves exclude each other by, as SQL: for a test that holds it, one of
    its own, so that tenants which other tests move meanwhile are not refused."""
    monkeypatch.setattr(turns, "_LOCK", "pg_catalog.hashtextextended('schemas of a test', 0)")
    return turns._LOCK


@pytest.fixture(scope="session")
def watchman() -> Iterator[psycopg.Connection]:
    """A superuser who is there all the time, for what each test does at its end."""
    url = os.environ["DATABASE_SUPERUSER_URL"]
    with psycopg.connect(url, autocommit=True) as connection:
        yield connection


@pytest.fixture
def house(
    tier: str, request: pytest.FixtureRequest, watchman: psycopg.Connection
) -> Iterator[House]:
    """Alice, Bob, Olga and Vera of one tenant; Mallory of another on the same tier.

    After the test their tenants are asleep: what goes through all of them stays short.
    """
    is_coroutine = inspect.iscoroutinefunction(request.function)
    built = build_whole_house(tier) if is_coroutine else build_house(tier)
    yield built
    watchman.execute(_SLEEP, [[tenant.id for tenant in built.tenants]])


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """The application behind a real HTTP server."""
    with serve() as running:
        yield running
