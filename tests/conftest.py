"""What every test has: databases open, sockets closed to the world, and a cast of people."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.db import connections
from pytest_django.plugin import DjangoDbBlocker

from tests.cast import House, build_house
from tests.web import Server, serve


@pytest.fixture(scope="session", autouse=True)
def _databases(django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Tests commit, like production; there is no transaction around them and no flush."""
    with django_db_blocker.unblock():
        yield
        for connection in connections.all(initialized_only=True):
            connection.close()
            if connection.alias == "default":
                connection.close_pool()


@pytest.fixture(scope="session")
def django_db_setup() -> None:
    """The plugin `tests.servers` has made and migrated the database."""


@pytest.fixture(params=["starter", "enterprise"])
def tier(request: pytest.FixtureRequest) -> str:
    """Both ways to live: in `public` behind policies, and in a schema of one's own."""
    return str(request.param)


@pytest.fixture
def house(tier: str) -> House:
    """Alice, Bob, Olga and Vera of one tenant; Mallory of another on the same tier."""
    return build_house(tier)


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """The application behind a real HTTP server."""
    with serve() as running:
        yield running
