"""The migrations that each schema has on record, against those of the code."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import psycopg
from django.db import ProgrammingError

from tenants.catalogue.gap import Gap
from tenants.catalogue.subject import COMMON, Cursor, undone
from tenants.lifecycle import targets
from tenants.lifecycle.targets import Key

# Each schema's table is locked while it is read, and the server's lock table is not endless.
_AT_ONCE = 500
_TABLES = """
SELECT schema, quote_ident(schema) FROM seat
 WHERE tab = 'django_migrations'
   AND has_schema_privilege(room, 'USAGE') AND has_table_privilege(oid, 'SELECT')
 ORDER BY schema
"""
_SENTENCES = {
    "migrations_missing": "Not on record in {schema}: {detail}. Run `manage.py migrate`.",
    "migrations_unknown": "On record in {schema}, but not in this code: {detail}."
    " Deploy the code that has them.",
}


def gaps(cursor: Cursor, facts: Mapping[str, Any]) -> Iterator[Gap]:
    """Schemas whose record and the code's migrations are not the same. A squashed migration may
    stand beside those that it replaces."""
    known = frozenset(targets.loader().disk_migrations)
    for schema, recorded in of_schemas(cursor, facts).items():
        yield from _gap(schema, "migrations_missing", frozenset(targets.of(schema)) - recorded)
        yield from _gap(schema, "migrations_unknown", recorded - known)


def _gap(schema: str, code: str, keys: frozenset[Key]) -> Iterator[Gap]:
    if keys:
        detail = ", ".join(".".join(key) for key in sorted(keys))
        sentence = _SENTENCES[code].format(schema=schema, detail=detail)
        yield Gap(schema, "django_migrations", code, sentence)


def of_schemas(cursor: Cursor, facts: Mapping[str, Any]) -> dict[str, frozenset[Key]]:
    """What each schema has on record."""
    cursor.execute(COMMON + _TABLES, facts)
    tables = cursor.fetchall()
    found: dict[str, set[Key]] = {schema: set() for schema, _ in tables}
    for start in range(0, len(tables), _AT_ONCE):
        for schema, app, name in _read(cursor, tables[start : start + _AT_ONCE]):
            found[schema].add((app, name))
    return {schema: frozenset(keys) for schema, keys in found.items()}


def _read(cursor: Cursor, tables: list[tuple[str, str]]) -> list[tuple[str, str, str]]:
    """A schema that goes meanwhile, with its tenant, is none to ask for its record."""
    try:
        return _ask(cursor, tables)
    except (psycopg.ProgrammingError, ProgrammingError):
        if len(tables) > 1:
            middle = len(tables) // 2
            return _read(cursor, tables[:middle]) + _read(cursor, tables[middle:])
        if _is_there(cursor, tables[0][1]):
            raise
        return []


def _ask(cursor: Cursor, tables: list[tuple[str, str]]) -> list[tuple[str, str, str]]:
    parts = (
        f"SELECT '{schema}', app::text, name::text FROM {name}.django_migrations"  # noqa: S608 - names come quoted from the catalogue, and are `public` or hex
        for schema, name in tables
    )
    with undone(cursor, "recorded"):
        cursor.execute(" UNION ALL ".join(parts))
        return cursor.fetchall()


def _is_there(cursor: Cursor, schema: str) -> bool:
    cursor.execute("SELECT to_regclass(%s) IS NOT NULL", [f"{schema}.django_migrations"])
    ((found,),) = cursor.fetchall()
    return bool(found)
