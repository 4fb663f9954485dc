"""What one query looks for, and the words for what it finds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from tenants.catalogue.gap import Gap
from tenants.cursors import Cursor as Cursor  # noqa: PLC0414 - for whoever has a subject


@contextmanager
def undone(cursor: Cursor, savepoint: str) -> Iterator[None]:
    """Whatever happens inside is rolled back: settings, schemas, locks."""
    cursor.execute(f"SAVEPOINT {savepoint}")
    try:
        yield
    finally:
        cursor.execute(f"ROLLBACK TO SAVEPOINT {savepoint}")
        cursor.execute(f"RELEASE SAVEPOINT {savepoint}")


# What every query starts from: the schemas that hold tables (`room`), the tables that the code
# knows (`known`), where each belongs (`place`), those that stand there (`seat`), their partitions
# (`part`), of the seats the tenants' (`tenant_seat`), and whoever's grants the application has
# (`application`). What PostgreSQL itself brought is known by its OID, not by its schema: initdb
# gives those below 16384, and nothing that is made afterwards gets one.
COMMON = """
WITH room AS (
    SELECT n.oid, n.nspname::text AS schema, n.nspowner,
           substring(n.nspname FROM '^tenant_([0-9a-f]{32})$')::uuid AS tenant_id
      FROM pg_catalog.pg_namespace n
     WHERE (n.nspname = 'public'
            OR n.nspname ~ '^tenant_[0-9a-f]{32}$' AND n.nspname <> %(pattern)s)
       AND n.nspname = coalesce(%(only)s::text, n.nspname)
), known AS (
    SELECT * FROM jsonb_to_recordset(%(tables)s::jsonb)
        AS k(tab text, kind text, append_only boolean, walled boolean, owner text,
             privileges text[])
), place AS (
    SELECT r.oid AS room, r.schema, r.tenant_id, k.*
      FROM room r JOIN known k ON k.kind <> 'shared' OR r.schema = 'public'
), seat AS (
    SELECT c.oid, p.*, c.relrowsecurity, c.relforcerowsecurity, c.relowner, c.relacl
      FROM place p JOIN pg_catalog.pg_class c
        ON c.relnamespace = p.room AND c.relname = p.tab AND c.relkind IN ('r', 'p')
), part AS (
    SELECT c.oid, n.nspname::text AS schema, c.relname::text AS tab, i.inhparent AS parent
      FROM pg_catalog.pg_class c
      JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
      JOIN pg_catalog.pg_inherits i ON i.inhrelid = c.oid
     WHERE c.relispartition AND c.relkind IN ('r', 'p', 'f')
       AND pg_partition_root(c.oid)::oid IN (SELECT oid FROM seat)
), tenant_seat AS (
    SELECT s.oid, s.schema, s.tab, t.attnum AS tenant_column, i.attnum AS id_column,
           o.attnum AS owner_column
      FROM seat s
      LEFT JOIN pg_catalog.pg_attribute t ON t.attrelid = s.oid AND t.attname = 'tenant_id'
      LEFT JOIN pg_catalog.pg_attribute i ON i.attrelid = s.oid AND i.attname = 'id'
      LEFT JOIN pg_catalog.pg_attribute o ON o.attrelid = s.oid AND o.attname = s.owner
     WHERE s.kind = 'tenant'
), application AS (
    SELECT 0::oid AS oid -- PUBLIC
    UNION ALL
    SELECT r.oid FROM pg_catalog.pg_roles r WHERE pg_has_role(to_regrole(%(app)s), r.oid, 'MEMBER')
)
"""


class Reader(Protocol):
    """Looks for gaps; `sentences` has the words for each code that it may give."""

    @property
    def sentences(self) -> Mapping[str, str]: ...

    def read(self, cursor: Cursor, facts: Mapping[str, Any]) -> Iterator[Gap]: ...


@dataclass(frozen=True, slots=True)
class Subject:
    """A query that goes on from COMMON and gives rows of code, schema, object and detail.

    A sentence is chosen by code and may name `{schema}`, `{object}` and `{detail}`.
    """

    query: str
    sentences: Mapping[str, str]

    def read(self, cursor: Cursor, facts: Mapping[str, Any]) -> Iterator[Gap]:
        """One query, whatever the number of schemas."""
        cursor.execute(COMMON + self.query, facts)
        for code, schema, name, detail in cursor.fetchall():
            words = {"schema": schema, "object": name, "detail": detail}
            yield Gap(schema, name, code, self.sentences[code].format(**words))
