"""A process that connects as anyone but the application gets a sentence instead of a database."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from copy import deepcopy
from pathlib import Path
from typing import Any
from uuid import uuid4

import environ
import psycopg
import pytest
from django.db import connections

from tenants import guards
from tenants.backend.base import DatabaseWrapper
from tenants.errors import WrongDatabaseRole

_ROOT = Path(__file__).resolve().parents[2]
_REMEDY = "Point DATABASE_URL at bulkhead_app (make it with `manage.py provision_roles`)."


@pytest.fixture(autouse=True)
def _nobody_is_trusted_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guards, "_trusted", set())


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Whom the guard has asked the database about."""
    users: list[str] = []
    attributes = guards._attributes

    def counted(parameters: dict[str, Any]) -> dict[str, Any]:
        users.append(parameters["user"])
        return attributes(parameters)

    monkeypatch.setattr(guards, "_attributes", counted)
    return users


@pytest.mark.parametrize(
    ("variable", "words"),
    [
        ("DATABASE_SUPERUSER_URL", "a superuser, for whom no policy holds"),
        ("DATABASE_OWNER_URL", "an owner of tables or schemas, who could change their walls"),
    ],
)
def test_a_role_past_the_walls_is_refused(variable: str, words: str) -> None:
    with _wrapper(environ.Env.db_url_config(os.environ[variable])) as wrapper:
        with pytest.raises(WrongDatabaseRole) as refusal:
            wrapper.connect()
        assert (
            str(refusal.value)
            == f"Connected as {wrapper.settings_dict['USER']!r}, {words}. {_REMEDY}"
        )


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("ALTER ROLE {role} BYPASSRLS", "BYPASSRLS"),
        ("GRANT pg_read_all_data TO {role}", "member of another role"),
        ("CREATE SCHEMA {role} AUTHORIZATION {role}", "owner of tables or schemas"),
        ("CREATE SCHEMA {role}; GRANT CREATE ON SCHEMA {role} TO {role}", "may create objects"),
    ],
)
def test_so_is_one_that_could_get_there(statement: str, words: str) -> None:
    with (
        _stranger(statement) as role,
        _wrapper(role) as wrapper,
        pytest.raises(WrongDatabaseRole, match=words),
    ):
        wrapper.connect()


def test_a_role_without_rights_may_connect() -> None:
    with _stranger("SELECT 1") as role, _wrapper(role) as wrapper:
        wrapper.connect()
        assert wrapper.is_usable()


def test_the_refused_are_refused_again_and_no_pool_fills_up() -> None:
    superuser = environ.Env.db_url_config(os.environ["DATABASE_SUPERUSER_URL"])
    pool = {"min_size": 0, "max_size": 1, "timeout": 1.0}
    with _wrapper(superuser, pool=pool) as wrapper:
        for _ in range(3):
            with pytest.raises(WrongDatabaseRole):
                wrapper.connect()


def test_the_database_is_asked_once_a_process(asked: list[str]) -> None:
    for _ in range(3):
        with _wrapper({}) as wrapper:
            wrapper.connect()
    assert asked == ["bulkhead_app"]


def test_threads_that_come_first_together_ask_once(asked: list[str]) -> None:
    def connect(_: int) -> bool:
        with _wrapper({}) as wrapper:
            wrapper.connect()
            return bool(wrapper.is_usable())

    with ThreadPoolExecutor(12) as threads:
        assert all(threads.map(connect, range(12)))
    assert asked == ["bulkhead_app"]


def test_a_process_pointed_at_a_superuser_says_what_to_do() -> None:
    ran = subprocess.run(
        [sys.executable, str(_ROOT / "manage.py"), "list_tenants"],
        env={**os.environ, "DATABASE_URL": os.environ["DATABASE_SUPERUSER_URL"]},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 1
    assert f"a superuser, for whom no policy holds. {_REMEDY}" in ran.stderr


@contextmanager
def _wrapper(changes: dict[str, Any], *, pool: Any = None) -> Iterator[DatabaseWrapper]:
    """A connection of the application's engine, with another log-in."""
    database = deepcopy({**connections["default"].settings_dict, "OPTIONS": {}})
    database |= {key: changes[key] for key in ("NAME", "USER", "PASSWORD") if key in changes}
    database["OPTIONS"] = {"server_side_binding": True, "pool": pool}
    wrapper = DatabaseWrapper(database, f"guard_{uuid4().hex}")
    try:
        yield wrapper
    finally:
        wrapper.close()
        wrapper.close_pool()


@contextmanager
def _stranger(statement: str) -> Iterator[dict[str, Any]]:
    """A new role, and what has been done for it in the server's own database."""
    superuser = os.environ["DATABASE_SUPERUSER_URL"]
    role = f"guarded_{uuid4().hex[:12]}"
    with psycopg.connect(superuser, dbname="postgres", autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {role} LOGIN PASSWORD 'secret'")
        try:
            connection.execute(statement.format(role=role))
            yield {"NAME": "postgres", "USER": role, "PASSWORD": "secret"}
        finally:
            connection.execute(f"DROP SCHEMA IF EXISTS {role} CASCADE; DROP ROLE {role}")
