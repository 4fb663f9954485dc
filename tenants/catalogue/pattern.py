"""A schema made as the migrations say, to hold the others against; it is never committed."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from django.db import connections, models
from django.db.migrations.loader import MigrationLoader

from tenants.backend.routers import OWNER_ALIAS
from tenants.catalogue import known_functions, known_tables
from tenants.catalogue.subject import Cursor
from tenants.constraints import SharedTable
from tenants.lifecycle import blueprint
from tenants.rls import quoted


def script(schema: str) -> str:
    """Tenant tables by the blueprint, and the shared ones as their models say, walls included.

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
    """As the last migration leaves them: a join table's key there may differ from the model's.

    Django's own words for columns, keys, checks and indexes; references come when all tables are.
    """
    shared = {model._meta.db_table for model in known_tables.shared_models()}
    migrated = MigrationLoader(None).project_state().apps
    models_there = migrated.get_models(include_auto_created=True)
    tables = [model for model in models_there if model._meta.db_table in shared]
    with connections[OWNER_ALIAS].schema_editor(collect_sql=True, atomic=False) as editor:
        for model in tables:
            _leave_alone(model)
            editor.create_model(model)
    made = [line.rstrip(";") for line in editor.collected_sql]
    return ";\n".join([*made, *_walls([model._meta.db_table for model in tables])]) + ";"


def _walls(tables: list[str]) -> Iterator[str]:
    """Walls and triggers of shared tables, whether a model or a migration brings them."""
    walls, triggers = known_tables.shared_walls(), known_functions.shared_triggers()
    for table in tables:
        if table in walls:
            yield from walls[table].raise_statements()
        if table in triggers:
            yield triggers[table]


def _leave_alone(model: type[models.Model]) -> None:
    """Without its wall, which `_walls` raises, and join tables, which are models themselves."""
    model._meta.local_many_to_many = []
    model._meta.constraints = [
        rule for rule in model._meta.constraints if not isinstance(rule, SharedTable)
    ]
