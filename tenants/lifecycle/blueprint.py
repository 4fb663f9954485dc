"""The DDL of a dedicated schema, written once per migration state and then replayed.

Never `CloneSchema`: it loses FORCE ROW LEVEL SECURITY and more. The migrations themselves say what
a schema is; they are compiled for a placeholder schema, and the placeholder is replaced. That takes
seconds, and a schema has to be made in less than one: what was compiled is kept in the database.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from functools import cache

from django.db import connections
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django_tenants.utils import schema_context

from tenants.backend.routers import OWNER_ALIAS
from tenants.cursors import Cursor
from tenants.identifiers import tenant_of
from tenants.lifecycle import archive, concurrently, sources, targets
from tenants.lifecycle.shortening import shortened
from tenants.lifecycle.targets import Key

_PLACEHOLDER = "tenant_" + "f" * 32

_known: dict[str, Blueprint] = {}
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


def at_hand(cursor: Cursor) -> Blueprint:
    """The blueprint of the code's migrations: known to this process, kept, or compiled and kept.

    The cursor is the owner's, in a transaction; compiling may leave another search_path in it.
    """
    with _lock:
        now = state()
        if now not in _known:
            _known[now] = kept(cursor) or _compiled_and_kept(cursor, now)
        return _known[now]


def keep(cursor: Cursor) -> None:
    """Have today's blueprint kept, and no other, so that no process has to compile it."""
    if kept(cursor) is None:
        _compiled_and_kept(cursor, state())
    archive.forget_all_but(cursor, state())


def kept(cursor: Cursor) -> Blueprint | None:
    """What is kept of today's state, if it is as it was written."""
    content = archive.read(cursor, state())
    if content is None:
        return None
    migrations = tuple((app, name) for app, name in content["migrations"])
    return Blueprint(tuple(content["statements"]), migrations)


@cache
def current() -> Blueprint:
    """What `sqlmigrate` would print for the code's migrations, run in the placeholder schema, but
    for what an empty one can do without.

    Compiled at the first call of the process.
    """
    loader, keys = MigrationLoader(None), targets.of_dedicated()
    plan = [(concurrently.taken_out(loader.graph.nodes[key]), False) for key in keys]
    connection = connections[OWNER_ALIAS]
    with schema_context(_PLACEHOLDER, database=OWNER_ALIAS):
        loader.connection = connection
        lines = loader.collect_sql(plan)
        with connection.schema_editor(collect_sql=True) as editor:
            editor.create_model(MigrationRecorder(connection).Migration)
    statements = [line.rstrip().rstrip(";") for line in [*lines, *editor.collected_sql]]
    return Blueprint(shortened(s for s in statements if s and not s.startswith("--")), keys)


@cache
def state() -> str:
    """What today's blueprint is compiled from, in short; another process's may be the same."""
    connection = connections[OWNER_ALIAS]
    connection.ensure_connection()
    return sources.digest(connection.pg_version)  # type: ignore[attr-defined]  # PostgreSQL's


def _compiled_and_kept(cursor: Cursor, now: str) -> Blueprint:
    """Kept only if the code in memory is that of the files, which `state` goes by: a worker may
    outlive the release that it runs."""
    made = current()
    if sources.are_as_loaded():
        content = {"statements": made.statements, "migrations": made.migrations}
        archive.write(cursor, now, content)
    return made
