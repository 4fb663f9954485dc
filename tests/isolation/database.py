"""The database as an attacker or an operator meets it: raw connections, no Django in between."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any
from unittest import mock
from urllib.parse import urlsplit

import psycopg
from django.db import connections

from tenants.backend.opening import entry_statement
from tenants.context import Actor, Scope, TenantContext
from tests.isolation.world import Trader

Cursor = psycopg.Cursor[tuple[Any, ...]]
# Times that a lock is tried for, 200 ms each.
_PATIENCE = 200


@contextmanager
def connected(variable: str = "DATABASE_URL") -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
    """A connection of the log-in that an environment variable names; rolled back at the end."""
    with psycopg.connect(os.environ[variable]) as connection:
        yield connection
        connection.rollback()


@contextmanager
def application() -> Iterator[Cursor]:
    """A transaction of the application's role, in no tenant."""
    with connected() as connection, connection.cursor() as cursor:
        yield cursor


@contextmanager
def inside(context: TenantContext) -> Iterator[Cursor]:
    """A transaction of the application's role, inside a tenant."""
    with application() as cursor:
        cursor.execute(entry_statement(context))
        yield cursor


@contextmanager
def sabotaged(statement: str, context: TenantContext) -> Iterator[Cursor]:
    """What the application would see in a tenant if `statement` were true; nothing stays."""
    with connected("DATABASE_SUPERUSER_URL") as connection, connection.cursor() as cursor:
        _alter(cursor, statement)
        cursor.execute("SET LOCAL ROLE bulkhead_app")
        cursor.execute(entry_statement(context))
        yield cursor


def _alter(cursor: Cursor, statement: str) -> None:
    """Tests beside this one use the tables too: who waited long for the second with the first in
    hand could wait in a circle, so what was taken is let go and taken again."""
    cursor.execute("SELECT")  # a transaction to be rolled back: the one below is a part of it
    for _ in range(_PATIENCE):
        with suppress(psycopg.errors.LockNotAvailable), cursor.connection.transaction():
            cursor.execute("SET LOCAL lock_timeout = '200ms'")
            cursor.execute(statement.encode())
            cursor.execute("SET LOCAL lock_timeout = 0")
            return
    raise TimeoutError(statement)


@contextmanager
def without_walls(*, but: str = "") -> Iterator[None]:
    """This thread's requests with the walls gone: those of the database, and those of the views.

    The first means to be a superuser, whom no policy binds; `but` names the one that stays.
    """
    with ExitStack() as gone:
        if but != "view":
            gone.enter_context(mock.patch("tenants.viewsets._own", lambda *_: {}))
        if but != "database":
            gone.enter_context(_as_superuser())
        yield


@contextmanager
def _as_superuser() -> Iterator[None]:
    default = connections["default"]
    url = urlsplit(os.environ["DATABASE_SUPERUSER_URL"])
    options = {k: v for k, v in default.settings_dict["OPTIONS"].items() if k != "pool"}
    changed = {"USER": url.username, "PASSWORD": url.password or "", "OPTIONS": options}
    default.close()
    with (
        mock.patch("tenants.guards.check_role"),
        mock.patch.object(default, "settings_dict", {**default.settings_dict, **changed}),
    ):
        try:
            yield
        finally:
            default.close()


def as_user(trader: Trader) -> TenantContext:
    person = trader.person
    return TenantContext(person.tenant.id, Actor.user(person.user_id), Scope.USER)


def as_tenant(trader: Trader) -> TenantContext:
    return TenantContext(trader.person.tenant.id, Actor.system("attack"), Scope.TENANT)
