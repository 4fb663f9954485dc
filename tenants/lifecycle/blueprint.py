"""The DDL of a dedicated schema, written once per migration state and then replayed.

Never `CloneSchema`: it loses FORCE ROW LEVEL SECURITY and more. The migrations themselves say what
a schema is; they are compiled for a placeholder schema, and the placeholder is replaced.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass

from django.apps import apps
from django.conf import settings
from django.db import connections
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django_tenants.utils import schema_context

from tenants.backend.routers import OWNER_ALIAS
from tenants.identifiers import tenant_of

Key = tuple[str, str]
_PLACEHOLDER = "tenant_" + "f" * 32

_compiled: dict[tuple[Key, ...], Blueprint] = {}
_lock = threading.Lock()


@dataclass(frozen=True, slots=True)
class Blueprint:
    """Statements that make an empty schema a migrated one, and the migrations they stand for."""

    statements: tuple[str, ...]
    migrations: tuple[Key, ...]

    def for_schema(self, schema: str) -> str:
        """The script for one schema; run it with that schema first in the search_path."""
        script = ";\n".join(self.statements) + ";"
        placeholder_id, tenant_id = tenant_of(_PLACEHOLDER), tenant_of(schema)
        return script.replace(_PLACEHOLDER, schema).replace(str(placeholder_id), str(tenant_id))


def current() -> Blueprint:
    """The blueprint of the code's migrations, compiled at the first call of the process."""
    loader = MigrationLoader(None)
    labels = tenant_labels()
    wanted = tuple(sorted(key for key in loader.graph.nodes if key[0] in labels))
    with _lock:
        if wanted not in _compiled:
            _compiled[wanted] = _compile(loader, set(wanted))
        return _compiled[wanted]


def tenant_labels() -> set[str]:
    """The apps whose tables stand in every dedicated schema."""
    return {app.label for app in apps.get_app_configs() if app.name in settings.TENANT_APPS}


def _compile(loader: MigrationLoader, wanted: set[Key]) -> Blueprint:
    """What `sqlmigrate` would print for these migrations, run in the placeholder schema."""
    order: list[Key] = []
    for leaf in loader.graph.leaf_nodes():
        order += [key for key in loader.graph.forwards_plan(leaf) if key not in order]
    keys = tuple(key for key in order if key in wanted)
    connection = connections[OWNER_ALIAS]
    with schema_context(_PLACEHOLDER, database=OWNER_ALIAS):
        loader.connection = connection
        lines = loader.collect_sql([(loader.graph.nodes[key], False) for key in keys])
        with connection.schema_editor(collect_sql=True) as editor:
            editor.create_model(MigrationRecorder(connection).Migration)
    statements = [line.rstrip().rstrip(";") for line in [*lines, *editor.collected_sql]]
    return Blueprint(tuple(s for s in statements if s and not s.startswith("--")), keys)
