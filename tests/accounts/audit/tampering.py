"""What somebody could do who owns the server: rows changed with every trigger asleep."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import sql

from accounts.audit import actions as audit
from tenants.models import Tenant
from tests.cast import job

Connection = psycopg.Connection[tuple[Any, ...]]


def filled(tenant: Tenant, events: int = 5) -> None:
    """Events of as many transactions."""
    for number in range(events):
        with job(tenant):
            audit.record("test.done", kind="number", key=str(number), after={"n": number})


@contextmanager
def asleep(schema: str) -> Iterator[Connection]:
    """A superuser's transaction in a schema, without triggers; committed."""
    with psycopg.connect(os.environ["DATABASE_SUPERUSER_URL"]) as connection:
        connection.execute("SET LOCAL session_replication_role = replica")
        path = sql.SQL("SET LOCAL search_path = {}, public")
        connection.execute(path.format(sql.Identifier(schema)))
        yield connection
