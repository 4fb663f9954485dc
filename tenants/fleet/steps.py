"""A migration's SQL: written down in the first schema that gets it, and said again in all others.

Written down where it is run, and not compiled for an empty schema: Django asks the catalogue for
the names of constraints before it drops them.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from django.db import connections
from django.db.migrations import Migration, SeparateDatabaseAndState
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState
from django_tenants.utils import schema_context

from tenants.backend.routers import OWNER_ALIAS
from tenants.cursors import Cursor
from tenants.identifiers import tenant_of
from tenants.lifecycle import targets
from tenants.lifecycle.targets import Key

# What a migration may ask, or Django say on its own, without its effect being lost in a replay.
_HARMLESS = ("SELECT", "WITH", "SET", "SAVEPOINT", "RELEASE")


class Step:
    """One migration of a run, for any schema and thread; its state is rendered once.

    `is_by_django` where Python has to run in each schema, or there is no transaction to run in.
    """

    def __init__(self, key: Key) -> None:
        self.key = key
        self.migration: Migration = targets.loader().graph.nodes[key]
        self.is_by_django = not (self.migration.atomic and _is_sql(self.migration.operations))
        self._script: _Script | None = None
        self._before: ProjectState | None = None
        self._lock = threading.RLock()

    @property
    def name(self) -> str:
        return ".".join(self.key)

    def carry_out(self, cursor: Cursor, schema: str) -> None:
        """In the cursor's transaction, with the schema first in its search_path."""
        with self._lock:
            script = self._script
            if script is None and not self.is_by_django:
                self._write_down(schema)
                return
        if script is None:
            self.run(schema)
        else:
            script.say(cursor, schema)

    def run(self, schema: str) -> list[str]:
        """By Django, on the owner's connection of this thread; gives what its editor said."""
        connection = connections[OWNER_ALIAS]
        editing = _recorder(connection)(connection, atomic=self.migration.atomic)
        with schema_context(schema, database=OWNER_ALIAS), editing as editor:
            self.migration.apply(self._state(), editor)
        return list(editor.said)

    def _write_down(self, schema: str) -> None:
        """An operation that goes past its editor cannot be said again, whatever it claims."""
        with _heard() as heard:
            said = self.run(schema)
        if all(statement in said or _is_harmless(statement) for statement in heard):
            self._script = _Script(schema, tuple(said))
        else:
            self.is_by_django = True

    def _state(self) -> ProjectState:
        """All that comes before this migration, as a copy: applying it changes the state."""
        with self._lock:
            if self._before is None:
                self._before = targets.loader().project_state(self.key, at_end=False)
                _ = self._before.apps  # rendered now, and not by each copy
            return self._before.clone()


class _Script:
    """Statements as they were said in one schema."""

    def __init__(self, schema: str, statements: tuple[str, ...]) -> None:
        self._schema, self._tenant = schema, str(tenant_of(schema))
        self._text = "\n;\n".join(statements)  # the last line of one may be a comment

    def say(self, cursor: Cursor, schema: str) -> None:
        """In another: walls name the schema, and its tenant, whose names occur nowhere else."""
        text = self._text.replace(self._schema, schema)
        if text:
            cursor.execute(text.replace(self._tenant, str(tenant_of(schema))))


def _recorder(connection: Any) -> Any:
    """The schema editor of a connection, which keeps what it says."""

    class Recorder(connection.SchemaEditorClass):  # type: ignore[misc]  # whichever that is
        def __enter__(self) -> Any:
            self.said: list[str] = []
            return super().__enter__()

        def execute(self, sql: Any, params: Any = ()) -> None:
            composed = params is not None
            text = connection.ops.compose_sql(str(sql), params) if composed else str(sql)
            self.said.append(text.rstrip().rstrip(";"))
            super().execute(self.said[-1], None)

    return Recorder


@contextmanager
def _heard() -> Iterator[list[str]]:
    """Every statement that Django sends for the owner in this thread."""
    statements: list[str] = []

    def listen(execute: Any, sql: Any, params: Any, many: bool, context: Any) -> Any:  # noqa: FBT001 - Django's signature
        statements.append(str(sql))
        return execute(sql, params, many, context)

    with connections[OWNER_ALIAS].execute_wrapper(listen):
        yield statements


def _is_harmless(statement: str) -> bool:
    return statement.split(maxsplit=1)[0].upper() in _HARMLESS


def _is_sql(operations: Sequence[Operation]) -> bool:
    return all(
        _is_sql(step.database_operations)
        if isinstance(step, SeparateDatabaseAndState)
        else step.reduces_to_sql
        for step in operations
    )
