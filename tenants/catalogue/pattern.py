"""A schema made as the migrations say, to hold the others against; it is never committed."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

from django.db import connections, models
from django.db.migrations.loader import MigrationLoader

from tenants.backend.routers import OWNER_ALIAS
from tenants.catalogue import known_functions, known_tables
from tenants.catalogue.subject import Cursor
from tenants.lifecycle import blueprint
from tenants.rls import quoted


def script(schema: str) -> str:
    """Tenant tables by the blueprint, and of the shared ones columns, walls and triggers.

    Read before the catalogue is: compiling uses cursors, and django-tenants' set the search_path.
    """
    return f"{blueprint.current().for_schema(schema)}\n{_shared_tables()}"


def build(cursor: Cursor, schema: str, statements: str) -> None:
    """Make the schema and leave it first in the search_path; `public` is not in it, so that no
    statement can take a lock on a real table."""
    cursor.execute("SET LOCAL row_security = on")  # a foreign key, when added, reads its tables
    cursor.execute(f"CREATE SCHEMA {quoted(schema)}")
    cursor.execute(f"SET LOCAL search_path = {quoted(schema)}, pg_temp")
    cursor.execute(statements)


@cache
def _shared_tables() -> str:
    """As the last migration leaves them: a join table's key there may differ from the model's."""
    walls, triggers = known_tables.shared_walls(), known_functions.shared_triggers()
    shared = {model._meta.db_table for model in known_tables.shared_models()}
    statements = []
    migrated = MigrationLoader(None).project_state().apps
    for model in migrated.get_models(include_auto_created=True):
        table = model._meta.db_table
        if table not in shared:
            continue
        statements.append(f"CREATE TABLE {quoted(table)} ({', '.join(_columns(model))})")
        if table in walls:
            statements += walls[table].raise_statements()
        if table in triggers:
            statements.append(triggers[table])
    return ";\n".join(statements) + ";"


def _columns(model: type[models.Model]) -> Iterator[str]:
    """Django's own words for each column; keys and checks of shared tables are not compared."""
    connection = connections[OWNER_ALIAS]
    editor: Any = connection.SchemaEditorClass(connection, collect_sql=True)
    for field in model._meta.local_concrete_fields:
        if field.column is not None:
            words, values = editor.column_sql(model, field)
            quotes = tuple(editor.quote_value(value) for value in values)
            suffix = field.db_type_suffix(connection) or ""
            yield f"{quoted(field.column)} {words % quotes if quotes else words} {suffix}"
