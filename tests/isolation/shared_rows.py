"""A shared table on trial: its wall altered, a row in it, and what the application reaches then."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg
from psycopg import sql
from psycopg.errors import InsufficientPrivilege, LockNotAvailable

from tenants.backend.opening import entry_statement
from tenants.context import TenantContext
from tenants.rls import SharedWall
from tenants.roles import APP
from tests.isolation.database import Cursor, connected

# What a column that may not be empty takes: by its name, its type, or the kind of its type.
_VALUES = {
    "side": "'buy'",
    "kind": "'delete'",
    "state": "'waiting'",
    "uuid": "gen_random_uuid()",
    "bytea": r"'\x00'",
    "jsonb": "'{}'",
    "B": "true",
    "D": "now()",
    "N": "1",
    "S": "'x'",
}
_NEEDED = """
SELECT a.attname, t.typname, t.typcategory
  FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
 WHERE a.attrelid = %s::regclass AND a.attnum > 0 AND a.attnotnull AND NOT a.atthasdef
   AND a.attidentity = '' AND NOT a.attisdropped
"""
_TURNS = 200


@dataclass(frozen=True)
class Trial:
    """The application's transaction; `others` is the condition that a row is not the tenant's."""

    cursor: Cursor
    wall: SharedWall
    others: str

    def reaches(self, command: str) -> bool:
        """Whether the wall lets a statement of this kind come to a row that is not the tenant's."""
        row = f"ctid = (SELECT ctid FROM public.{self.wall.table} WHERE {self.others} LIMIT 1)"
        column, *_ = _row(self.cursor, self.wall)
        return self._passes(
            {
                "SELECT": f"SELECT FROM public.{self.wall.table} WHERE {row}",
                "INSERT": _insertion(self.cursor, self.wall),
                "UPDATE": f"UPDATE public.{self.wall.table} SET {column} = {column} WHERE {row}",
                "DELETE": f"DELETE FROM public.{self.wall.table} WHERE {row}",
            }[command]
        )

    def gives_away(self) -> bool:
        """Whether a row of the tenant's can be made another's."""
        table, column = self.wall.table, self.wall.tenant_column
        own = f"ctid = (SELECT ctid FROM public.{table} WHERE NOT ({self.others}) LIMIT 1)"
        return self._passes(f"UPDATE public.{table} SET {column} = gen_random_uuid() WHERE {own}")

    def _passes(self, statement: str) -> bool:
        """Past the policies, that is: constraints are asked after them."""
        try:
            self.cursor.execute(statement.encode())
        except InsufficientPrivilege as refusal:
            if "row-level security" not in str(refusal):
                raise
            return False
        except psycopg.errors.IntegrityError:
            return True
        return self.cursor.rowcount > 0


@contextmanager
def tried(
    wall: SharedWall, changes: Sequence[str] = (), context: TenantContext | None = None
) -> Iterator[Trial]:
    """The application in a tenant, or on the platform, after `changes`; nothing stays."""
    with connected("DATABASE_SUPERUSER_URL") as connection, connection.cursor() as cursor:
        _lock(cursor, wall.table)
        # Neither keys nor triggers: the policies alone are on trial.
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(f"SELECT EXISTS (SELECT FROM public.{wall.table})".encode())
        if cursor.fetchone() == (False,):
            cursor.execute(_insertion(cursor, wall).encode())
        for change in changes:
            cursor.execute(change.encode())
        cursor.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON public.{wall.table} TO {APP}")
        cursor.execute(f"SET LOCAL ROLE {APP}")
        if context:
            cursor.execute(entry_statement(context))
        is_owned = context and wall.tenant_column
        others = f"{wall.tenant_column} <> '{context.tenant_id}'" if is_owned else "true"
        yield Trial(cursor, wall, others)


def _lock(cursor: Cursor, table: str) -> None:
    """In short turns: who waits in the lock's queue has every other test wait behind it."""
    for _ in range(_TURNS):
        try:
            cursor.execute("SET LOCAL lock_timeout = '100ms'")
            cursor.execute(f"LOCK TABLE public.{table} IN ACCESS EXCLUSIVE MODE".encode())
        except LockNotAvailable:
            cursor.connection.rollback()
            time.sleep(0.05)
        else:
            cursor.execute("SET LOCAL lock_timeout = 0")
            return
    raise AssertionError(f"{table} is never free")


def _insertion(cursor: Cursor, wall: SharedWall) -> str:
    """Of a row that is nobody's here."""
    row = _row(cursor, wall)
    names = ", ".join(sql.Identifier(name).as_string() for name in row)
    return f"INSERT INTO public.{wall.table} ({names}) VALUES ({', '.join(row.values())})"


def _row(cursor: Cursor, wall: SharedWall) -> dict[str, str]:
    cursor.execute(_NEEDED, [f"public.{wall.table}"])
    return {
        name: _VALUES.get(name) or _VALUES.get(kind) or _VALUES[category]
        for name, kind, category in cursor.fetchall()
    }
