"""What each schema has, in one table, so that one question tells which of them lack something.

A row is written by the transaction that changes the schema, from the schema's own record: it can't
say what is not so. Whoever drops a schema takes its row along.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

from tenants.cursors import Cursor
from tenants.lifecycle.targets import Key
from tenants.rls import quoted

_THERE = "SELECT pg_catalog.to_regclass('bulkhead.fleet_ledger') IS NOT NULL"
# Of the record only what this code knows: what a later release left there changes nothing.
_WRITE = """
INSERT INTO bulkhead.fleet_ledger AS l (schema, digest, migrations, at, error)
SELECT %s, encode(sha256(convert_to(
           coalesce(string_agg(d.line, E'\\n' ORDER BY d.line COLLATE "C"), ''), 'UTF8')), 'hex'),
       count(*), now(), ''
  FROM (SELECT DISTINCT concat(m.app, '.', m.name) AS line
          FROM RECORD m
          JOIN unnest(%s::text[], %s::text[]) AS k(app, name) USING (app, name)) d
ON CONFLICT (schema) DO UPDATE
   SET digest = excluded.digest, migrations = excluded.migrations, at = excluded.at, error = ''
"""
_FAULT = """
INSERT INTO bulkhead.fleet_ledger AS l (schema, digest, migrations, at, error)
VALUES (%s, '', 0, now(), %s)
ON CONFLICT (schema) DO UPDATE SET error = excluded.error
"""
UNKNOWN = ""  # the digest of a schema of which nothing is known but that it failed
_FORGET = "DELETE FROM bulkhead.fleet_ledger WHERE schema = %s"
_READ = "SELECT schema, digest FROM bulkhead.fleet_ledger ORDER BY schema"


def digest(keys: Iterable[Key]) -> str:
    """What the ledger has of a schema with just these migrations."""
    lines = sorted({f"{app}.{name}" for app, name in keys})
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def write(cursor: Cursor, schema: str, due: Sequence[Key]) -> None:
    """Have it as the schema's record is now, in the cursor's transaction; `due` is what the schema
    is to have."""
    if is_there(cursor):
        record = f"{quoted(schema)}.django_migrations"
        apps, names = [app for app, _ in due], [name for _, name in due]
        cursor.execute(_WRITE.replace("RECORD", record), [schema, apps, names])


def note_fault(cursor: Cursor, schema: str, error: str) -> None:
    """Why the last try failed; what the schema has is as it was."""
    cursor.execute(_FAULT, [schema, error])


def forget(cursor: Cursor, schema: str) -> None:
    if is_there(cursor):
        cursor.execute(_FORGET, [schema])


def read(cursor: Cursor) -> dict[str, str]:
    """Digests by schema."""
    if not is_there(cursor):
        return {}
    cursor.execute(_READ)
    return dict(cursor.fetchall())


def is_there(cursor: Cursor) -> bool:
    """Whether the table stands: not before its migration has run."""
    cursor.execute(_THERE)
    ((is_so,),) = cursor.fetchall()
    return bool(is_so)
