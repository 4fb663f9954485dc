"""What is on the tables of a new schema rests while they are filled, and is put back at once.

An index that is made of all rows takes a fraction of the time that is needed to keep it row by row;
so does a reference that is checked for all. Nobody reads the schema yet.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from tenants.cursors import Cursor
from tenants.moving.route import Table
from tenants.rls import quoted

_REFERENCES = """
SELECT c.relname::text, k.conname::text, pg_get_constraintdef(k.oid)
  FROM pg_catalog.pg_constraint k JOIN pg_catalog.pg_class c ON c.oid = k.conrelid
 WHERE k.contype = 'f' AND k.connamespace = to_regnamespace(%s) ORDER BY 1, 2
"""
# Those of a constraint stay: the primary key is how rows are found meanwhile. So do those with a
# condition or an expression, which PostgreSQL would not print again as it has read them.
_INDEXES = """
SELECT c.relname::text, pg_get_indexdef(c.oid)
  FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
 WHERE c.relnamespace = to_regnamespace(%s) AND i.indpred IS NULL AND i.indexprs IS NULL
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint k WHERE k.conindid = c.oid) ORDER BY 1
"""


@contextmanager
def tables(cursor: Cursor, schema: str, filled: Iterable[Table]) -> Iterator[None]:
    """Without references, indexes and triggers; the schema is first in the search_path.

    Raises IntegrityError at the end for rows that an index or a reference refuses.
    """
    references = _taken(cursor, schema, _REFERENCES)
    indexes = _taken(cursor, schema, _INDEXES)
    names = [quoted(table.name) for table in filled]
    for name, constraint, _ in references:
        cursor.execute(f"ALTER TABLE {quoted(name)} DROP CONSTRAINT {quoted(constraint)}")
    for index, _ in indexes:
        cursor.execute(f"DROP INDEX {quoted(schema)}.{quoted(index)}")
    for name in names:
        cursor.execute(f"ALTER TABLE {name} DISABLE TRIGGER USER")
    yield
    for _, definition in indexes:
        cursor.execute(definition)
    _put_references(cursor, names, references)
    for name in names:
        cursor.execute(f"ALTER TABLE {name} ENABLE TRIGGER USER")


def _put_references(cursor: Cursor, names: list[str], references: list[tuple[str, ...]]) -> None:
    """Forced policies would hide every row from the owner, and so from the check of a reference."""
    for name in names:
        cursor.execute(f"ALTER TABLE {name} NO FORCE ROW LEVEL SECURITY")
    for name, constraint, definition in references:
        cursor.execute(
            f"ALTER TABLE {quoted(name)} ADD CONSTRAINT {quoted(constraint)} {definition}"
        )
    for name in names:
        cursor.execute(f"ALTER TABLE {name} FORCE ROW LEVEL SECURITY")


def _taken(cursor: Cursor, schema: str, query: str) -> list[tuple[str, ...]]:
    cursor.execute(query, [schema])
    return list(cursor.fetchall())
