"""The owner's connection: django-tenants' own, with an editor that ends what it has begun."""

from __future__ import annotations

import sys
from typing import Any

from django.db.backends.postgresql.schema import DatabaseSchemaEditor
from django_tenants.postgresql_backend import base as django_tenants


class SchemaEditor(DatabaseSchemaEditor):
    """Django's leaves its transaction open where a deferred statement fails, and walls are all
    deferred: whoever tries again would meet an aborted transaction that still holds its locks."""

    deferred_sql: list[Any]

    def __exit__(self, kind: Any, fault: Any, trace: Any) -> None:
        # Of a wall Django takes None for a statement where a column has a constant default.
        deferred, self.deferred_sql = self.deferred_sql, []
        if kind is None:
            try:
                for sql in filter(None, deferred):
                    self.execute(sql, None)
            except BaseException:
                if self.atomic_migration:
                    self.atomic.__exit__(*sys.exc_info())
                raise
        super().__exit__(kind, fault, trace)


class DatabaseWrapper(django_tenants.DatabaseWrapper):  # type: ignore[misc]  # it has no types
    SchemaEditorClass = SchemaEditor
