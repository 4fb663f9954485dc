"""What one query looks for, and the words for what it finds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from tenants.catalogue.gap import Gap


class Cursor(Protocol):
    """What Django's cursors and psycopg's have in common."""

    def execute(self, query: Any, params: Any = None, /) -> Any: ...

    def fetchall(self) -> list[Any]: ...


# What every query starts from: the schemas that hold tables (`room`), the tables that the code
# knows (`known`), where each belongs (`place`), and those that stand there (`seat`).
COMMON = """
WITH room AS (
    SELECT n.oid, n.nspname::text AS schema, n.nspowner,
           substring(n.nspname FROM '^tenant_([0-9a-f]{32})$')::uuid AS tenant_id
      FROM pg_catalog.pg_namespace n
     WHERE n.nspname = 'public'
        OR n.nspname ~ '^tenant_[0-9a-f]{32}$' AND n.nspname <> %(pattern)s
), known AS (
    SELECT * FROM jsonb_to_recordset(%(tables)s::jsonb)
        AS k(tab text, kind text, append_only boolean, walled boolean, privileges text[])
), place AS (
    SELECT r.oid AS room, r.schema, r.tenant_id, k.*
      FROM room r JOIN known k ON k.kind <> 'shared' OR r.schema = 'public'
), seat AS (
    SELECT c.oid, p.*, c.relrowsecurity, c.relforcerowsecurity, c.relowner, c.relacl
      FROM place p JOIN pg_catalog.pg_class c
        ON c.relnamespace = p.room AND c.relname = p.tab AND c.relkind IN ('r', 'p')
)
"""


@dataclass(frozen=True, slots=True)
class Subject:
    """A query that goes on from COMMON and gives rows of code, schema, object and detail.

    A sentence is chosen by code and may name `{schema}`, `{object}` and `{detail}`. A subject that
    `compares` is silent on objects about which an earlier one had something to say.
    """

    query: str
    sentences: Mapping[str, str]
    compares: bool = False

    def read(self, cursor: Cursor, facts: Mapping[str, Any]) -> Iterator[Gap]:
        """One query, whatever the number of schemas."""
        cursor.execute(COMMON + self.query, facts)
        for code, schema, name, detail in cursor.fetchall():
            words = {"schema": schema, "object": name, "detail": detail}
            yield Gap(schema, name, code, self.sentences[code].format(**words))
