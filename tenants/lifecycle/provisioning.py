"""Schemas of dedicated tenants: made in one transaction, by replaying the blueprint."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from django.db import connections, transaction
from django.db.backends.utils import CursorWrapper

from tenants.backend.routers import OWNER_ALIAS
from tenants.cursors import Cursor
from tenants.identifiers import tenant_of
from tenants.lifecycle import blueprint, ledger
from tenants.lifecycle.errors import OwnerLoginMissing
from tenants.rls import quoted
from tenants.roles import APP, MOVER


@contextmanager
def owner_cursor() -> Iterator[CursorWrapper]:
    """A cursor of the owner's log-in in a transaction. Raises OwnerLoginMissing without one."""
    if OWNER_ALIAS not in connections:
        raise OwnerLoginMissing("Set DATABASE_OWNER_URL: this process may not change schemas.")
    with transaction.atomic(using=OWNER_ALIAS), connections[OWNER_ALIAS].cursor() as cursor:
        yield cursor


def create_schema(schema: str, *, now: datetime) -> float:
    """Make a dedicated schema, complete or not at all; nothing happens when it exists.

    Gives the seconds it took. Raises ValueError for a name that is no tenant's schema.
    """
    if tenant_of(schema) is None:
        raise ValueError(f"{schema!r} is no tenant's schema")
    started = time.perf_counter()
    with owner_cursor() as cursor:
        cursor.execute("SELECT pg_catalog.to_regnamespace(%s) IS NOT NULL", [schema])
        if cursor.fetchone()[0]:
            return 0.0
        plan = blueprint.at_hand(cursor)
        name = quoted(schema)
        cursor.execute(f"CREATE SCHEMA {name}")
        cursor.execute(f"GRANT USAGE ON SCHEMA {name} TO {APP}, {MOVER}")
        cursor.execute(f"SET LOCAL search_path = {name}, public")
        cursor.execute(plan.for_schema(schema))
        cursor.executemany(
            "INSERT INTO django_migrations (app, name, applied) VALUES (%s, %s, %s)",
            [(app, name, now) for app, name in plan.migrations],
        )
        ledger.write(cursor, schema, plan.migrations)
    return time.perf_counter() - started


def drop_schema(cursor: Cursor, schema: str) -> None:
    """With all that stands in it, in the cursor's transaction; nothing happens without it."""
    cursor.execute(f"DROP SCHEMA IF EXISTS {quoted(schema)} CASCADE")
    ledger.forget(cursor, schema)
