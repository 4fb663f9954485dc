"""Pytest plugin: the run's own PostgreSQL and Valkey, made before Django reads its settings.

The controller starts them, and they end with the run; xdist's workers inherit the environment.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Generator, Iterator
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import psycopg
import pytest

_MARK = "BULKHEAD_TEST_SERVERS"
# Names a database with all migrations and no tenant, to make others from.
FRESH = "BULKHEAD_TEST_FRESH"
# For files that need servers of their own: see test_apart.
APART = "BULKHEAD_TEST_APART"
_ROOT = Path(__file__).resolve().parents[1]
_stack = contextlib.ExitStack()


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests() -> Generator[None, None, None]:
    """A wrapper, and so ahead of pytest-django, which reads the settings in the same hook."""
    if not os.environ.get(_MARK):
        _prepare()
    return (yield)


def _prepare() -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings.test"
    servers = _stack.enter_context(_servers())
    os.environ.update(servers)
    os.environ[_MARK] = " ".join(servers)
    for command in ("provision_roles", "migrate"):
        _manage(command)
    os.environ[FRESH] = _stack.enter_context(_copy())
    _widen_plans()


def elsewhere() -> dict[str, str]:
    """The environment of a run within this one, that is to have servers of its own."""
    ours = {*os.environ[_MARK].split(), _MARK, FRESH}
    return {
        name: value
        for name, value in os.environ.items()
        if name not in ours and not name.startswith("PYTEST_")
    }


@contextlib.contextmanager
def _copy() -> Iterator[str]:
    """The database as it is now, for tests that need one of their own; nobody is connected yet."""
    superuser = urlsplit(os.environ["DATABASE_SUPERUSER_URL"])
    name = f"fresh_{uuid4().hex[:12]}"
    elsewhere = superuser._replace(path="/postgres").geturl()
    with psycopg.connect(elsewhere, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE {name} TEMPLATE "{superuser.path[1:]}"')
        try:
            yield name
        finally:
            connection.execute(f"DROP DATABASE {name}")


def _widen_plans() -> None:
    """A test asks for more in a second than a customer in a minute; those of limits set theirs."""
    with psycopg.connect(os.environ["DATABASE_SUPERUSER_URL"], autocommit=True) as connection:
        connection.execute(
            "UPDATE tenants_plan SET requests_per_minute = 10000000, concurrent_requests = 10000,"
            " server_ms_per_second = 1000000"
        )


def pytest_unconfigure() -> None:
    _stack.close()


@contextlib.contextmanager
def _servers() -> Iterator[dict[str, str]]:
    """Servers named by the environment, or throwaway ones without durability."""
    from config.embedded.servers import running

    with tempfile.TemporaryDirectory(prefix="bulkhead-test-", ignore_cleanup_errors=True) as folder:
        # PostgreSQL may run as another user than this process: see config/embedded.
        Path(folder).chmod(0o755)
        with running(Path(folder) / "data", durable=False) as servers:
            yield servers.environment()


def _manage(command: str) -> None:
    ran = subprocess.run(
        [sys.executable, str(_ROOT / "manage.py"), command],
        capture_output=True,
        text=True,
        check=False,
        cwd=_ROOT,
    )
    if ran.returncode:
        raise pytest.UsageError(f"manage.py {command} failed:\n{ran.stdout}{ran.stderr}")
