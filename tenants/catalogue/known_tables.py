"""The tables the code knows, each with its wall."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.db import models
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from tenants import ownership
from tenants.constraints import SharedTable, TenantWall
from tenants.operations import CloseInsideTenants
from tenants.rls import SharedWall, Wall

# Stands in a rule where the name of the schema goes.
SCHEMA = "{schema}"


def tenant_walls() -> list[Wall]:
    """The wall of every tenant-owned model."""
    return [
        constraint.wall(model._meta.db_table, SCHEMA)
        for model in ownership.tenant_models()
        for constraint in model._meta.constraints
        if isinstance(constraint, TenantWall)
    ]


def shared_models() -> list[type[models.Model]]:
    """Every model with a table of its own that is no tenant's, join tables included."""
    return [
        model
        for model in apps.get_models(include_auto_created=True)
        if model._meta.managed
        and not model._meta.proxy
        and not issubclass(model, ownership.TenantOwned)
    ]


def shared_walls() -> dict[str, SharedWall]:
    """Walls of shared tables: of our models, and by migration of other packages' tables."""
    walls = {wall.table: wall for wall in _closed_by_migrations()}
    for model in shared_models():
        for constraint in model._meta.constraints:
            if isinstance(constraint, SharedTable):
                walls[model._meta.db_table] = constraint.wall(model._meta.db_table)
    return walls


def rows() -> Iterator[dict[str, Any]]:
    """The tables for the queries; `kind` says in which schemas each belongs."""
    for wall in tenant_walls():
        yield _row(
            wall.table,
            "tenant",
            wall.privileges,
            append_only=wall.append_only,
            owner=wall.owner_column,
        )
    walls = shared_walls()
    for model in shared_models():
        table = model._meta.db_table
        shared = walls.get(table)
        walled = shared is not None and bool(shared.rules())
        yield _row(
            table,
            "shared",
            shared.privileges if shared else (),
            walled=walled,
            append_only=shared is not None and shared.append_only,
        )
    yield _row(MigrationRecorder.Migration._meta.db_table, "bookkeeping", (), walled=False)


def _closed_by_migrations() -> Iterator[SharedWall]:
    for _, migration in sorted(MigrationLoader(None).disk_migrations.items()):
        for step in migration.operations:
            if isinstance(step, CloseInsideTenants):
                yield SharedWall(step.table, step.read, writable=step.writable)


def _row(
    table: str,
    kind: str,
    privileges: tuple[str, ...],
    *,
    append_only: bool = False,
    walled: bool = True,
    owner: str | None = None,
) -> dict[str, Any]:
    return {
        "tab": table,
        "kind": kind,
        "privileges": privileges,
        "append_only": append_only,
        "walled": walled,
        "owner": owner,
    }
