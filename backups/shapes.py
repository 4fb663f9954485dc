"""What an archive lacks of the tables as they are, and whether it may.

What came by a migration that its tenant did not have is new since then: a table is empty, a column
takes its default. What was there has to be in it: its absence would take live rows away, or fill
columns with what they never were.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.db import connections
from psycopg import sql

from backups.archive.manifest import Manifest, Origin, TableHead
from backups.errors import OtherShape, PartsMissing
from tenants import ownership
from tenants.backend.routers import OWNER_ALIAS
from tenants.lifecycle import targets

Shapes = Mapping[str, TableHead]
Part = tuple[str, str]  # a table and a column; the whole table without one


def check_known(head: TableHead, known: TableHead | None) -> None:
    """That it holds nothing that is gone since. Raises OtherShape."""
    if known is None:
        raise OtherShape(f"There is no table {head.name} any more.")
    gone = _columns(head) - _columns(known)
    if gone:
        raise OtherShape(f"{head.name} has no column {', '.join(sorted(gone))} any more.")


def check_whole(manifest: Manifest, shapes: Shapes) -> None:
    """That what it lacks is new since it was taken. Raises PartsMissing, OtherShape."""
    lacking = set(_lacking(manifest, shapes))
    if lacking and (missing := sorted(lacking & _parts_then(manifest.origin))):
        named = ", ".join(".".join(filter(None, part)) for part in missing)
        raise PartsMissing(f"The archive lacks {named}, which were there when it was taken.")


def new_tables(manifest: Manifest, shapes: Iterable[str]) -> list[str]:
    """Those that the archive lacks: what the tenant has in them goes when it is put back."""
    return sorted(set(shapes) - {facts.name for facts in manifest.tables})


def filled(head: TableHead, known: TableHead) -> list[tuple[str, sql.Literal]]:
    """New columns with what a migration would give to the rows that are there: the default of the
    field, where neither the database has one nor null will do."""
    model = _models()[head.name]
    new = _columns(known) - _columns(head)
    fields = [field for field in model._meta.local_concrete_fields if field.column in new]
    default = connections[OWNER_ALIAS].schema_editor().effective_default
    values = {str(field.column): default(field) for field in fields if not field.has_db_default()}
    return [(name, sql.Literal(value)) for name, value in values.items() if value is not None]


def _lacking(manifest: Manifest, shapes: Shapes) -> Iterable[Part]:
    there = {facts.name: {column.name for column in facts.columns} for facts in manifest.tables}
    for name, known in shapes.items():
        if name not in there:
            yield name, ""
            continue
        for column in _columns(known) - there[name]:
            yield name, column


def _parts_then(origin: Origin) -> set[Part]:
    """Tables and columns as the tenant's migrations had made them. Raises OtherShape for one that
    this release does not know."""
    if not origin.migrations:
        raise OtherShape("It does not say after which migrations it was taken.")
    loader = targets.loader()
    unknown = [".".join(key) for key in origin.migrations if key not in loader.graph.nodes]
    if unknown:
        raise OtherShape(f"It was taken after {', '.join(unknown)}, unknown to this release.")
    models = loader.project_state(list(origin.migrations)).apps.get_models()
    parts = {(model._meta.db_table, "") for model in models}
    return parts | {
        (model._meta.db_table, str(field.column))
        for model in models
        for field in model._meta.local_concrete_fields
    }


def _models() -> dict[str, Any]:
    return {model._meta.db_table: model for model in ownership.tenant_models()}


def _columns(head: TableHead) -> set[str]:
    return {column.name for column in head.columns}
