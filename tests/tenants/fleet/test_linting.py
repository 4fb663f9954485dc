"""What the linter says of each kind of operation, on a table with readers and on a new one."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.postgres.operations import (
    AddConstraintNotValid,
    AddIndexConcurrently,
    ValidateConstraint,
)
from django.db import migrations, models
from django.db.migrations import Migration
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState

from tenants.constraints import SharedTable, TenantReference, TenantWall
from tenants.fleet import linting, sql_hazards
from tenants.fleet.hazard import SENTENCES

_NOOP = migrations.RunSQL.noop
_CHECK = models.CheckConstraint(name="fits", condition=models.Q(size__gt=0))
_UNIQUE = models.UniqueConstraint(name="once", fields=["name"])
_INDEX = models.Index(fields=["name"], name="by_name")
_BOAT = migrations.CreateModel(
    "Boat",
    [
        ("id", models.UUIDField(primary_key=True)),
        ("name", models.CharField(max_length=40, null=True)),
        ("size", models.IntegerField()),
    ],
)


def add(field: Any) -> Operation:
    return migrations.AddField("boat", "new", field)


def alter(name: str, field: Any) -> Operation:
    return migrations.AlterField("boat", name, field)


def sql(text: Any) -> Operation:
    return migrations.RunSQL(text, _NOOP)


def look(apps: Any, editor: Any) -> None:
    """Of a data migration."""


UNSAFE: dict[str, list[Operation]] = {
    "column_without_default": [
        add(models.IntegerField()),
        add(models.IntegerField(default=1)),
        sql("ALTER TABLE harbour_boat ADD COLUMN new integer NOT NULL"),
    ],
    "column_required": [
        alter("name", models.CharField(max_length=40)),
        sql("ALTER TABLE harbour_boat ALTER COLUMN name SET NOT NULL"),
    ],
    "column_removed": [
        migrations.RemoveField("boat", "size"),
        migrations.SeparateDatabaseAndState([migrations.RemoveField("boat", "size")]),
        sql("ALTER TABLE harbour_boat DROP COLUMN size"),
    ],
    "table_removed": [migrations.DeleteModel("Boat"), sql("DROP TABLE harbour_boat")],
    "renamed": [
        migrations.RenameField("boat", "size", "length"),
        migrations.RenameModel("Boat", "Ship"),
        migrations.AlterModelTable("boat", "ship"),
        sql("ALTER TABLE harbour_boat RENAME COLUMN size TO length"),
        sql("ALTER TABLE harbour_boat RENAME TO ship"),
    ],
    "type_changed": [
        alter("size", models.BigIntegerField()),
        alter("name", models.CharField(max_length=39, null=True)),
        sql("ALTER TABLE harbour_boat ALTER size TYPE bigint"),
    ],
    "index_under_lock": [
        migrations.AddIndex("boat", _INDEX),
        migrations.AddConstraint("boat", _UNIQUE),
        alter("name", models.CharField(max_length=40, null=True, unique=True)),
        add(models.IntegerField(null=True, db_index=True)),
        sql("CREATE UNIQUE INDEX by_name ON harbour_boat (name)"),
    ],
    "constraint_under_lock": [
        migrations.AddConstraint("boat", _CHECK),
        migrations.AddConstraint("boat", TenantWall(name="boat_wall")),
        migrations.AddConstraint("boat", TenantReference(name="boat_of", field="size")),
        sql("ALTER TABLE harbour_boat ADD CONSTRAINT fits CHECK (size > 0)"),
    ],
    "no_way_back": [migrations.RunPython(look), migrations.RunSQL("SELECT 1")],
    "own_locks": [
        sql("SET LOCAL lock_timeout = '1h'"),
        sql("SELECT 1; LOCK TABLE harbour_boat"),
    ],
}
SAFE = [
    add(models.IntegerField(null=True)),
    add(models.IntegerField(db_default=1)),
    alter("name", models.CharField(max_length=41, null=True)),
    alter("name", models.TextField(null=True)),
    alter("size", models.IntegerField(null=True, validators=[])),
    migrations.RemoveIndex("boat", "by_name"),
    migrations.AddConstraint("boat", SharedTable(name="boat_shared", read="platform")),
    AddConstraintNotValid("boat", _CHECK),
    ValidateConstraint("boat", "fits"),
    migrations.SeparateDatabaseAndState([], [migrations.RemoveField("boat", "size")]),
    migrations.RunPython(look, look),
    sql("ALTER TABLE harbour_boat ADD COLUMN new integer NOT NULL DEFAULT 1"),
    sql("ALTER TABLE harbour_boat ADD CONSTRAINT fits CHECK (size > 0) NOT VALID"),
    sql([("UPDATE harbour_boat SET size = %s", [1])]),
    sql("CREATE FUNCTION f() RETURNS void LANGUAGE sql AS $body$ DROP TABLE harbour_boat $body$"),
    sql(_NOOP),
]
CASES = [(code, step) for code, steps in UNSAFE.items() for step in steps]


def migration(*steps: Operation, **facts: Any) -> Migration:
    made = Migration("0002_next", "harbour")
    made.operations = list(steps)
    for name, value in facts.items():
        setattr(made, name, value)
    return made


def codes(of: Migration, *, new: bool = False) -> list[str]:
    """What is found; with the table made before, or in the same migration."""
    state = ProjectState()
    if new:
        of.operations = [_BOAT, *of.operations]
    else:
        migration(_BOAT).mutate_state(state, preserve=False)
        state.models["harbour", "boat"].options["indexes"] = [_INDEX]
    return [hazard.code for hazard in linting.judged(of, state)]


@pytest.mark.parametrize(
    ("code", "step"), CASES, ids=lambda one: one if isinstance(one, str) else type(one).__name__
)
def test_what_a_running_release_does_not_survive_is_found(code: str, step: Operation) -> None:
    assert codes(migration(step)) == [code]


@pytest.mark.parametrize("step", SAFE, ids=lambda step: type(step).__name__)
def test_what_it_survives_is_not(step: Operation) -> None:
    assert codes(migration(step)) == []


@pytest.mark.parametrize(
    "step", [step for code, step in CASES if code not in ("no_way_back", "own_locks")]
)
def test_a_new_table_has_no_readers(step: Operation) -> None:
    if isinstance(step, migrations.SeparateDatabaseAndState):
        step = step.database_operations[0]
    assert codes(migration(step), new=True) == []


def test_rows_are_not_changed_while_tables_are_locked() -> None:
    moves = migrations.RunPython(look, look)
    assert codes(migration(add(models.IntegerField(null=True)), moves)) == ["rows_under_lock"]
    assert codes(migration(moves, sql("DELETE FROM harbour_boat"))) == []


def test_without_a_transaction_there_are_indexes_only() -> None:
    assert codes(migration(AddIndexConcurrently("boat", _INDEX), atomic=False)) == []
    assert codes(migration(sql("VACUUM"), atomic=False)) == ["not_repeatable"]


def test_what_is_accepted_is_not_found_and_has_to_be_there() -> None:
    removal = migrations.RemoveField("boat", "size")
    reason = {"column_removed": "no release since 1.1 reads it"}
    assert codes(migration(removal, accepts=reason)) == []
    assert codes(migration(accepts=reason)) == ["stale_acceptance"]


def test_every_hazard_is_tried() -> None:
    apart = {"rows_under_lock", "not_repeatable", "stale_acceptance"}
    assert {*UNSAFE, *apart} == set(SENTENCES)


def test_rows_are_changed_by_these_words() -> None:
    for text in ("UPDATE x SET y = 1", "WITH a AS (SELECT 1) INSERT INTO x SELECT * FROM a"):
        assert sql_hazards.changes_rows(text)
    assert not sql_hazards.changes_rows("CREATE TABLE updates (at timestamptz)")
