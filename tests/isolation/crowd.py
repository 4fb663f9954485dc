"""Many tenants around those a test looks at, so that the planner has something to choose from."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import psycopg
from django.db import models
from psycopg import sql

from tenants.ownership import TenantOwned
from tests.cast import Person

Connection = psycopg.Connection[tuple[object, ...]]
PEOPLE = 4  # who share a tenant's rows

# With whether a unique index has the column, and whether one has nothing else but the tenant.
_COLUMNS = """
SELECT a.attname, a.atttypid::regtype::text, a.attnotnull,
       coalesce(bool_or(i.indrelid IS NOT NULL), false),
       coalesce(bool_or(NOT EXISTS (
           SELECT FROM pg_catalog.pg_attribute other
            WHERE other.attrelid = a.attrelid AND other.attnum = ANY (i.indkey)
              AND other.attname NOT IN (a.attname, 'tenant_id')))
           FILTER (WHERE i.indrelid IS NOT NULL), false)
  FROM pg_catalog.pg_attribute a
  LEFT JOIN pg_catalog.pg_index i
    ON i.indrelid = a.attrelid AND i.indisunique AND a.attnum = ANY (i.indkey)
 WHERE a.attrelid = %s::regclass AND a.attnum > 0 AND NOT a.attisdropped
 GROUP BY a.attnum, a.attname, a.atttypid, a.attnotnull
"""


@dataclass(frozen=True)
class Pattern:
    """A row of a person, to be copied with other keys, owners and times."""

    model: type[models.Model]
    person: Person
    id: str

    @property
    def table(self) -> sql.Identifier:
        return sql.Identifier("public", self.model._meta.db_table)

    @property
    def is_shared(self) -> bool:
        return not issubclass(self.model, TenantOwned)


@contextmanager
def crowded(patterns: list[Pattern], *, tenants: int, rows: int) -> Iterator[None]:
    """So many strangers with so many rows each, and as many for the tenants of the patterns.

    The strangers exist in these tables only, and are gone again after the block; so is what the
    tenants of the patterns got in tables that tenants share, where others would meet it.
    """
    strangers = [uuid4() for _ in range(tenants)]
    with psycopg.connect(os.environ["DATABASE_SUPERUSER_URL"], autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")
        before = {pattern: _keys(connection, pattern) for pattern in patterns if pattern.is_shared}
        try:
            for pattern in patterns:
                copy(connection, pattern, [*strangers, pattern.person.tenant.id], rows)
            yield
        finally:
            for pattern in patterns:
                gone = sql.SQL("DELETE FROM {} WHERE tenant_id = ANY (%s)").format(pattern.table)
                connection.execute(gone, [strangers])
            for pattern, kept in before.items():
                gone = sql.SQL("DELETE FROM {} WHERE tenant_id = %s AND id <> ALL (%s)")
                where = [pattern.person.tenant.id, kept]
                connection.execute(gone.format(pattern.table), where)


def _keys(connection: Connection, pattern: Pattern) -> list[UUID]:
    """Of the rows that the pattern's tenant has."""
    query = sql.SQL("SELECT id FROM {} WHERE tenant_id = %s").format(pattern.table)
    found: list[tuple[Any, ...]] = connection.execute(query, [pattern.person.tenant.id]).fetchall()
    return [key for (key,) in found]


def copy(connection: Connection, pattern: Pattern, tenants: list[UUID], rows: int) -> None:
    """The pattern's row, `rows` times for each tenant; one in four stays with its person."""
    columns = connection.execute(_COLUMNS, [pattern.table.as_string(connection)]).fetchall()
    values = {
        str(name): (is_required and _value(str(name), str(kind), bool(is_unique), bool(is_alone)))
        or f'p."{name}"'
        for name, kind, is_required, is_unique, is_alone in columns
    }
    statement = sql.SQL(
        "INSERT INTO {table} ({names}) SELECT {values}"
        " FROM {table} p, unnest(%s::uuid[]) tenant, generate_series(1, %s) n"
        " WHERE p.tenant_id = %s AND p.id = %s ON CONFLICT DO NOTHING"
    ).format(
        table=pattern.table,
        names=sql.SQL(", ").join(map(sql.Identifier, values)),
        values=sql.SQL(", ").join(map(sql.SQL, values.values())),
    )
    connection.execute(statement, [tenants, rows, pattern.person.tenant.id, pattern.id])
    connection.execute(sql.SQL("ANALYZE {}").format(pattern.table))


def _value(name: str, kind: str, is_unique: bool, is_alone: bool) -> str | None:
    """An expression over `p` (the pattern), `tenant` and `n`; None leaves the column as it is.

    Keys are reckoned from the pattern's: where patterns refer to one another, so do the copies.
    """
    if name == "tenant_id":
        return "tenant"
    if name == "user_id" and not is_alone:
        other = f"md5(tenant::text || n %% {PEOPLE})::uuid"
        return f"CASE n %% {PEOPLE} WHEN 0 THEN p.user_id ELSE {other} END"
    if kind.startswith("character varying") and is_unique:
        return "left(md5(random()::text), 20)"
    if kind == "bytea" and is_unique:
        return "sha256(gen_random_uuid()::text::bytea)"
    if kind == "bigint" and is_unique:
        return "n + 1000"
    by_kind = {
        "uuid": f"md5(p.{name}::text || tenant || n)::uuid",
        "boolean": "false",
        "timestamp with time zone": "now() - n * interval '1 minute'",
    }
    return by_kind.get(kind)
