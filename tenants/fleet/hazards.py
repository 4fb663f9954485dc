"""Hazards of Django's operations, and of ours, on tables that were there before the migration."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, cast

from django.contrib.postgres.operations import (
    AddConstraintNotValid,
    AddIndexConcurrently,
    RemoveIndexConcurrently,
)
from django.db import DEFAULT_DB_ALIAS, connections, migrations, models
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState
from django.db.models import Value
from django.db.models.fields import AutoFieldMixin
from django.db.models.sql import Query

from tenants.constraints import SharedTable, TenantWall
from tenants.fleet import sql_functions, sql_hazards, sql_words
from tenants.operations import CloseInsideTenants

Found = Iterator[tuple[str, str]]

# A wall goes up with the rights and policies that belong to it.
_SAFE = (
    AddIndexConcurrently,
    RemoveIndexConcurrently,
    AddConstraintNotValid,
    CloseInsideTenants,
)
_VARCHAR = re.compile(r"varchar\((\d+)\)")
_GONE = {
    migrations.RemoveField: "column_removed",
    migrations.DeleteModel: "table_removed",
    migrations.RenameField: "renamed",
    migrations.RenameModel: "renamed",
    migrations.AlterModelTable: "renamed",
    migrations.RemoveIndex: "index_dropped_under_lock",
    migrations.AlterUniqueTogether: "index_under_lock",
    migrations.AlterOrderWithRespectTo: "column_without_default",
}


def hazards(step: Operation, app: str, before: ProjectState, new_models: set[str]) -> Found:
    """Codes, and what each is found in; `new_models` came to be in the same migration."""
    if isinstance(step, _SAFE):
        return
    if isinstance(step, migrations.RunSQL):
        yield from _of_sql(step, _tables(app, before, new_models))
    elif isinstance(step, migrations.RunPython):
        if step.reverse_code is None:
            yield "no_way_back", str(getattr(step.code, "__name__", step.code))
    elif _model_of(step) not in new_models:
        yield from _of_operation(step, app, before)


def texts(step: migrations.RunSQL) -> list[str]:
    """Its statements, without their parameters."""
    parts = [step.sql] if isinstance(step.sql, str) else step.sql
    return [part if isinstance(part, str) else part[0] for part in parts]


def _of_sql(step: migrations.RunSQL, new_tables: set[str]) -> Found:
    yield from sql_hazards.hazards("\n;\n".join(texts(step)), new_tables)
    if step.reverse_sql is None:
        yield "no_way_back", " ".join(texts(step)[0].split())[:60]


def _of_operation(step: Any, app: str, before: ProjectState) -> Found:
    """Of one on a table that has readers."""
    gone = next((code for kind, code in _GONE.items() if isinstance(step, kind)), None)
    if gone:
        yield gone, _name(step)
    elif isinstance(step, migrations.AddField):
        yield from _of_new_field(step)
    elif isinstance(step, migrations.AlterField):
        yield from _of_altered_field(step, before.models[app, step.model_name_lower].fields)
    elif isinstance(step, migrations.AddIndex):
        yield "index_under_lock", str(step.index.name)
    elif isinstance(step, migrations.AddConstraint):
        yield from _of_constraint(step.constraint)
    elif isinstance(step, migrations.RemoveConstraint):
        yield from _of_removed(step, before.models[app, step.model_name_lower].options)


def _of_new_field(step: migrations.AddField) -> Found:
    field: Any = step.field
    has_default = field.has_db_default() or field.generated
    if not (field.null or field.many_to_many or has_default):
        yield "column_without_default", _name(step)
    if field.unique or field.db_index:
        yield "index_under_lock", _name(step)
    if field.generated or sql_functions.are_volatile(_default(field)):
        yield "table_rewritten", _name(step)


def _default(field: Any) -> tuple[str, ...]:
    """The words of its `db_default`, if that is more than a value."""
    if not field.has_db_default() or isinstance(field._db_default_expression, Value):
        return ()
    compiler = Query(None).get_compiler(connection=connections[DEFAULT_DB_ALIAS])
    text, _ = compiler.compile(field._db_default_expression)
    (whole,) = sql_words.statements(str(text))
    return whole.words


def _of_altered_field(step: migrations.AlterField, fields: Any) -> Found:
    old, new = fields[step.name], cast(Any, step.field)
    if not _fits(_type(old), _type(new)):
        yield "type_changed", _name(step)
    if old.null and not new.null:
        yield "column_required", _name(step)
    if _fills_itself(old) and not _fills_itself(new):
        yield "default_removed", _name(step)
    if (new.unique or new.db_index) and not (old.unique or old.db_index):
        yield "index_under_lock", _name(step)
    if old.db_index and not (old.unique or new.unique or new.db_index):
        yield "index_dropped_under_lock", _name(step)


def _fills_itself(field: Any) -> bool:
    """Whether the database has a value for what an INSERT leaves out."""
    return field.has_db_default() or isinstance(field, AutoFieldMixin)


def _of_constraint(constraint: models.BaseConstraint) -> Found:
    """Policies of shared tables are the one kind that reads no rows."""
    if isinstance(constraint, models.UniqueConstraint):
        yield "index_under_lock", constraint.name
    elif not isinstance(constraint, SharedTable):
        yield "constraint_under_lock", constraint.name


def _of_removed(step: migrations.RemoveConstraint, options: Any) -> Found:
    """With a wall go the application's rights."""
    gone = [one for one in options["constraints"] if one.name == step.name]
    if any(isinstance(one, TenantWall | SharedTable) for one in gone):
        yield "wall_changed", step.name


def _fits(old: str | None, new: str | None) -> bool:
    """Whether the rows can stay as they are."""
    was, will_be = _VARCHAR.fullmatch(old or ""), _VARCHAR.fullmatch(new or "")
    if was and will_be:
        return int(was[1]) <= int(will_be[1])
    return old == new or (was is not None and new == "text")


def _type(field: Any) -> str | None:
    """As the column's; of a reference what it refers to, for a state has no models to ask."""
    if field.remote_field:
        target = field.remote_field.model
        return str(getattr(getattr(target, "_meta", None), "label_lower", target)).lower()
    found: str | None = field.db_type(connections[DEFAULT_DB_ALIAS])
    return found


def _tables(app: str, state: ProjectState, new_models: set[str]) -> set[str]:
    """The names of new models' tables."""
    named = ((name, state.models[app, name].options) for name in new_models)
    return {str(options.get("db_table") or f"{app}_{name}") for name, options in named}


def _model_of(step: Any) -> str:
    names = (getattr(step, f"{of}_lower", "") for of in ("model_name", "name", "old_name"))
    return str(next(filter(None, names), ""))


def _name(step: Any) -> str:
    names = (
        getattr(step, "model_name", ""),
        getattr(step, "name", ""),
        getattr(step, "old_name", ""),
    )
    return ".".join(str(name) for name in names if name)
