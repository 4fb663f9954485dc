"""What the linter says of each kind of operation, on a table with readers and on a new one."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.postgres.functions import RandomUUID
from django.contrib.postgres.operations import (
    AddConstraintNotValid,
    AddIndexConcurrently,
    RemoveIndexConcurrently,
    ValidateConstraint,
)
from django.db import migrations, models
from django.db.migrations import Migration
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState
from django.db.models import functions

from tenants.constraints import SharedTable, TenantReference, TenantWall
from tenants.fleet import linting, sql_functions, sql_queries
from tenants.fleet.hazard import SENTENCES
from tenants.operations import CloseInsideTenants
from tests.isolation.database import connected

_NOOP = migrations.RunSQL.noop
_CHECK = models.CheckConstraint(name="fits", condition=models.Q(size__gt=0))
_UNIQUE = models.UniqueConstraint(name="once", fields=["name"])
_INDEX = models.Index(fields=["name"], name="by_name")
SIZE_TWICE = models.GeneratedField(
    expression=models.F("size") * 2, output_field=models.IntegerField(), db_persist=True
)
_BOAT = migrations.CreateModel(
    "Boat",
    [
        ("id", models.UUIDField(primary_key=True)),
        ("name", models.CharField(max_length=40, null=True)),
        ("size", models.IntegerField()),
        ("is_afloat", models.BooleanField(db_default=True)),
        ("berth", models.IntegerField(null=True, db_index=True)),
    ],
)
_WALLS = [TenantWall(name="boat_wall"), SharedTable(name="boat_shared", read="own")]


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
        sql("ALTER TABLE harbour_boat ADD new numeric(10, 2) NOT NULL"),
        sql("ALTER TABLE harbour_boat ADD a text DEFAULT 'x' NOT NULL, ADD b text NOT NULL"),
    ],
    "column_required": [
        alter("name", models.CharField(max_length=40)),
        sql("ALTER TABLE harbour_boat ALTER COLUMN name SET NOT NULL"),
        sql("ALTER TABLE harbour_boat ALTER name SET NOT NULL"),
        sql("ALTER TABLE harbour_boat ALTER size DROP NOT NULL, ALTER name SET NOT NULL"),
    ],
    "column_removed": [
        migrations.RemoveField("boat", "size"),
        migrations.SeparateDatabaseAndState([migrations.RemoveField("boat", "size")]),
        sql("ALTER TABLE harbour_boat DROP COLUMN size"),
        sql('ALTER TABLE ONLY "harbour_boat" DROP size'),
        sql("ALTER TABLE harbour_boat ADD new text, DROP IF EXISTS size CASCADE"),
        sql("ALTER TABLE harbour_boat /* DROP CONSTRAINT */ DROP -- CONSTRAINT\n size"),
    ],
    "default_removed": [
        alter("is_afloat", models.BooleanField(default=True)),
        sql("ALTER TABLE harbour_boat ALTER is_afloat DROP DEFAULT"),
        sql("ALTER TABLE harbour_boat ALTER COLUMN is_afloat SET DEFAULT NULL"),
        sql("ALTER TABLE harbour_boat ALTER size DROP IDENTITY IF EXISTS"),
        sql("ALTER TABLE harbour_boat ALTER size DROP EXPRESSION"),
    ],
    "table_removed": [
        migrations.DeleteModel("Boat"),
        sql("DROP TABLE harbour_boat"),
    ],
    "object_removed": [
        sql("DROP FUNCTION public.enter_tenant(uuid, uuid, text, bigint, bytea)"),
        sql("DROP TYPE public.tenant_ticket CASCADE"),
        sql("DROP DOMAIN IF EXISTS public.tenant_ticket"),
        sql("DROP SEQUENCE numbers"),
        sql("DROP EXTENSION pgcrypto"),
        sql("DROP TRIGGER append_only ON harbour_boat"),
        sql("ALTER TABLE harbour_boat DISABLE TRIGGER append_only"),
    ],
    "rights_taken": [
        sql("REVOKE INSERT ON harbour_boat FROM bulkhead_app"),
        sql("REVOKE ALL ON ALL TABLES IN SCHEMA public FROM PUBLIC, bulkhead_app"),
        sql("REVOKE bulkhead_app FROM web"),
        sql("ALTER ROLE bulkhead_app NOLOGIN"),
        sql("ALTER ROLE bulkhead_app SET statement_timeout = 1"),
        sql("ALTER USER bulkhead_app WITH LOGIN CONNECTION LIMIT 0"),
        sql("DROP ROLE bulkhead_app"),
        sql("ALTER TABLE harbour_boat OWNER TO web"),
        sql("ALTER FUNCTION public.enter_tenant OWNER TO web"),
    ],
    "wall_changed": [
        migrations.RemoveConstraint("boat", "boat_wall"),
        migrations.RemoveConstraint("boat", "boat_shared"),
        sql("CREATE POLICY shut ON harbour_boat AS RESTRICTIVE USING (false)"),
        sql("ALTER POLICY tenant ON harbour_boat USING (false)"),
        sql("DROP POLICY IF EXISTS tenant ON harbour_boat"),
        sql("ALTER TABLE harbour_boat DISABLE ROW LEVEL SECURITY"),
        sql("ALTER TABLE harbour_boat ENABLE ROW LEVEL SECURITY"),
    ],
    "renamed": [
        migrations.RenameField("boat", "size", "length"),
        migrations.RenameModel("Boat", "Ship"),
        migrations.AlterModelTable("boat", "ship"),
        sql("ALTER TABLE harbour_boat RENAME COLUMN size TO length"),
        sql("ALTER TABLE harbour_boat RENAME TO ship"),
        sql("ALTER TABLE harbour_boat RENAME size TO length"),
        sql("ALTER TABLE harbour_boat SET SCHEMA elsewhere"),
    ],
    "type_changed": [
        alter("size", models.BigIntegerField()),
        alter("name", models.CharField(max_length=39, null=True)),
        sql("ALTER TABLE harbour_boat ALTER size TYPE bigint"),
        sql("ALTER TABLE harbour_boat ALTER COLUMN size SET DATA TYPE bigint USING size * 2"),
    ],
    "index_under_lock": [
        migrations.AddIndex("boat", _INDEX),
        migrations.AddConstraint("boat", _UNIQUE),
        alter("name", models.CharField(max_length=40, null=True, unique=True)),
        add(models.IntegerField(null=True, db_index=True)),
        sql("CREATE UNIQUE INDEX by_name ON harbour_boat (name)"),
        sql("ALTER TABLE harbour_boat ADD new text UNIQUE"),
        sql("REINDEX TABLE harbour_boat"),
    ],
    "index_dropped_under_lock": [
        migrations.RemoveIndex("boat", "by_name"),
        alter("berth", models.IntegerField(null=True)),
        sql("DROP INDEX by_name"),
        sql("DROP INDEX IF EXISTS public.by_name CASCADE"),
    ],
    "constraint_under_lock": [
        migrations.AddConstraint("boat", _CHECK),
        migrations.AddConstraint("boat", TenantWall(name="boat_wall")),
        migrations.AddConstraint("boat", TenantReference(name="boat_of", field="size")),
        sql("ALTER TABLE harbour_boat ADD CONSTRAINT fits CHECK (size > 0)"),
        sql("ALTER TABLE harbour_boat ADD CHECK (size > 0)"),
        sql("ALTER TABLE harbour_boat ADD FOREIGN KEY (size) REFERENCES harbour_pier (id)"),
        sql("ALTER TABLE harbour_boat ADD new integer CHECK (new > 0)"),
    ],
    "table_rewritten": [
        add(models.UUIDField(db_default=RandomUUID())),
        add(models.FloatField(db_default=functions.Random())),
        add(SIZE_TWICE),
        sql("ALTER TABLE harbour_boat ADD new uuid NOT NULL DEFAULT gen_random_uuid()"),
        sql("ALTER TABLE harbour_boat ADD new timestamptz DEFAULT pg_catalog.clock_timestamp()"),
        sql("ALTER TABLE harbour_boat ADD new int GENERATED ALWAYS AS (size * 2) STORED"),
        sql("ALTER TABLE harbour_boat ADD new bigint GENERATED BY DEFAULT AS IDENTITY"),
        sql("ALTER TABLE harbour_boat ADD new bigserial"),
        sql("ALTER TABLE harbour_boat SET UNLOGGED"),
        sql("VACUUM FULL harbour_boat"),
        sql("VACUUM (VERBOSE, FULL) harbour_boat"),
        sql("CLUSTER harbour_boat USING by_name"),
    ],
    "table_emptied": [
        sql("TRUNCATE harbour_boat"),
        sql("truncate table only harbour_boat restart identity"),
    ],
    "unreadable_sql": [
        sql("DO $$ BEGIN ALTER TABLE harbour_boat DROP COLUMN size; END $$"),
        sql("DO LANGUAGE plpgsql 'BEGIN DROP TABLE harbour_boat; END'"),
        sql("CALL mend()"),
        sql("ALTER TABLE harbour_boat FROBNICATE"),
        sql("ALTER SYSTEM SET fsync = off"),
        sql("SELECT drop_size()"),
        sql("SELECT * FROM harbour.drop_size() AS dropped"),
        sql("SELECT harbour.count(*) FROM harbour_boat"),
        sql('VALUES ("drop_size"())'),
        sql("INSERT INTO harbour_pier (id) SELECT drop_size() FROM harbour_boat"),
        sql("WITH dropped AS (SELECT drop_size()) SELECT * FROM dropped"),
        sql("CREATE TABLE ship AS SELECT drop_size()"),
        sql("SELECT set_config('lock_' || 'timeout', '0', false)"),
        sql("ALTER FUNCTION public.enter_tenant SECURITY INVOKER"),
        sql("SELECT 'never closed"),
        sql("SELECT 1 /* never /* closed */"),
        sql("CREATE FUNCTION f() RETURNS void LANGUAGE sql AS $body$ SELECT 1"),
    ],
    "no_way_back": [migrations.RunPython(look), migrations.RunSQL("SELECT 1")],
    "own_locks": [
        sql("SET LOCAL lock_timeout = '1h'"),
        sql("SELECT 1; LOCK TABLE harbour_boat"),
        sql("SELECT set_config('lock_timeout', '0', false)"),
        sql("SELECT pg_catalog.set_config('Lock_Timeout', '0', false)"),
        sql("SELECT pg_advisory_xact_lock(1)"),
        sql('SET "lock_timeout" TO 0'),
        sql("RESET ALL"),
    ],
    "rows_at_once": [
        sql("UPDATE harbour_boat SET size = 1"),
        sql([("UPDATE harbour_boat SET size = %s", [1])]),
        sql("UPDATE harbour_boat SET berth = 1 WHERE berth IS NULL"),
        sql("UPDATE harbour_boat SET size = (SELECT length FROM keel LIMIT 1)"),
        sql("UPDATE harbour_boat b SET size = k.length FROM keel k WHERE k.id = b.id"),
        sql("UPDATE harbour_boat SET size = 1 WHERE tenant_id = %s"),
        sql("WITH keels AS (SELECT * FROM keel) UPDATE harbour_boat SET size = 1"),
        sql("WITH gone AS (DELETE FROM harbour_boat RETURNING id) SELECT * FROM gone"),
        sql("DELETE FROM harbour_boat"),
        sql("DELETE FROM harbour_boat USING keel WHERE size = 1"),
        sql("MERGE INTO harbour_boat b USING keel k ON k.id = b.id WHEN MATCHED THEN DELETE"),
    ],
}
SAFE = [
    add(models.IntegerField(null=True)),
    add(models.IntegerField(db_default=1)),
    alter("name", models.CharField(max_length=41, null=True)),
    alter("name", models.TextField(null=True)),
    alter("size", models.IntegerField(null=True, validators=[])),
    alter("is_afloat", models.BooleanField(db_default=False)),
    alter("berth", models.IntegerField(null=True, db_index=True, unique=True)),
    RemoveIndexConcurrently("boat", "by_name"),
    migrations.RemoveConstraint("boat", "fits"),
    CloseInsideTenants("harbour_boat"),
    migrations.AddConstraint("boat", SharedTable(name="boat_shared", read="platform")),
    AddConstraintNotValid("boat", _CHECK),
    ValidateConstraint("boat", "fits"),
    migrations.SeparateDatabaseAndState([], [migrations.RemoveField("boat", "size")]),
    migrations.RunPython(look, look),
    sql("ALTER TABLE harbour_boat ADD COLUMN new integer NOT NULL DEFAULT 1"),
    sql("ALTER TABLE harbour_boat ADD new timestamptz NOT NULL DEFAULT now(), ADD other text"),
    add(models.DateTimeField(db_default=functions.Now())),
    add(models.CharField(max_length=9, db_default="clock_timestamp()")),
    sql("ALTER TABLE harbour_boat ADD new text DEFAULT 'DROP COLUMN; random()' NOT NULL"),
    sql("ALTER TABLE harbour_boat ADD new varchar(9) DEFAULT CAST('x' AS varchar(9))"),
    sql("ALTER TABLE harbour_boat DROP CONSTRAINT fits, ALTER size SET DEFAULT 1"),
    sql("ALTER TABLE harbour_boat ADD UNIQUE USING INDEX by_name"),
    sql("ALTER TABLE harbour_boat FORCE ROW LEVEL SECURITY; GRANT SELECT ON harbour_boat TO x"),
    sql("REINDEX INDEX CONCURRENTLY by_name; COMMENT ON COLUMN a.b IS 'x'"),
    sql("DROP INDEX CONCURRENTLY IF EXISTS by_name"),
    sql("DROP STATISTICS by_name"),
    sql("REVOKE ALL ON harbour_boat FROM PUBLIC; REVOKE ALL ON FUNCTION f(text) FROM PUBLIC"),
    sql("ALTER ROLE bulkhead_app WITH LOGIN; ALTER DEFAULT PRIVILEGES REVOKE ALL ON TABLES FROM x"),
    sql("ALTER TABLE harbour_boat ENABLE TRIGGER append_only"),
    sql('CREATE POLICY "drop table" ON harbour_boat USING (true)'),
    sql("ALTER TABLE harbour_boat ADD CONSTRAINT fits CHECK (size > 0) NOT VALID"),
    sql([("UPDATE harbour_boat SET size = %s WHERE id = %s", [1, 2])]),
    sql("UPDATE harbour_boat SET size = 1, name = 'x' WHERE \"id\" IN ('x', 'y')"),
    sql(
        "UPDATE harbour_boat SET size = 1"
        " WHERE id IN (SELECT id FROM harbour_boat WHERE size IS NULL LIMIT 1000)"
    ),
    sql(
        "WITH some AS (SELECT id FROM harbour_boat LIMIT 1000 FOR UPDATE SKIP LOCKED)"
        " DELETE FROM harbour_boat b USING some WHERE some.id = b.id"
    ),
    sql("UPDATE harbour_boat b SET size = v.n FROM (VALUES ('x', 1)) AS v (i, n) WHERE v.i = b.id"),
    sql("INSERT INTO harbour_boat (id) VALUES ('x') ON CONFLICT (id) DO UPDATE SET size = 1"),
    sql(
        "INSERT INTO pier (n) SELECT count(*) FILTER (WHERE size > 0) FROM public.boat AS b (size)"
    ),
    sql("SELECT pg_catalog.now(), max(size), cast(size AS numeric(9, 2)) FROM harbour_boat"),
    sql("CREATE TABLE ship (id uuid); UPDATE ship SET id = NULL, name = ''; DELETE FROM ship"),
    sql("CREATE TABLE ship AS SELECT id, coalesce(size, 0) AS size FROM harbour_boat"),
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
        state.models["harbour", "boat"].options["constraints"] = [*_WALLS, _CHECK]
    return [hazard.code for hazard in linting.judged(of, state)]


@pytest.mark.parametrize(
    ("code", "step"), CASES, ids=lambda one: one if isinstance(one, str) else type(one).__name__
)
def test_what_a_running_release_does_not_survive_is_found(code: str, step: Operation) -> None:
    assert codes(migration(step)) == [code]


@pytest.mark.parametrize("step", SAFE, ids=lambda step: type(step).__name__)
def test_what_it_survives_is_not(step: Operation) -> None:
    assert codes(migration(step)) == []


def is_of_the_table(code: str, step: Operation) -> bool:
    """Whether it is a hazard to those who read the table, and says that it is about that one."""
    is_said = "harbour_boat" in str(getattr(step, "sql", "harbour_boat"))
    apart = ("no_way_back", "own_locks", "unreadable_sql", "rows_at_once")
    return is_said and code not in apart


@pytest.mark.parametrize("step", [step for code, step in CASES if is_of_the_table(code, step)])
def test_a_new_table_has_no_readers(step: Operation) -> None:
    if isinstance(step, migrations.SeparateDatabaseAndState):
        step = step.database_operations[0]
    assert codes(migration(step), new=True) == []


def test_nobody_waits_for_the_rows_of_a_new_table() -> None:
    filled = sql("UPDATE harbour_boat SET size = 1, name = 'x'; DELETE FROM ONLY harbour_boat")
    assert codes(migration(filled), new=True) == ["rows_under_lock"]


def test_tables_that_one_operation_makes_are_new_to_what_follows() -> None:
    made = ["CREATE TABLE ship (id uuid)", "ALTER TABLE ship ENABLE ROW LEVEL SECURITY"]
    assert codes(migration(sql(made))) == []
    assert codes(migration(sql(made[::-1]))) == ["wall_changed"]


@pytest.mark.parametrize(
    "text",
    [
        "CREATE TABLE IF NOT EXISTS harbour_boat (id uuid); ALTER TABLE harbour_boat DROP size",
        "CREATE TABLE ship (id uuid); DROP TABLE ship, harbour_boat",
        "CREATE TABLE ship (id uuid); TRUNCATE ship, harbour_boat",
    ],
)
def test_what_is_new_makes_nothing_else_new(text: str) -> None:
    assert len(codes(migration(sql(text)))) == 1


def test_rows_are_not_changed_while_tables_are_locked() -> None:
    moves = migrations.RunPython(look, look)
    assert codes(migration(add(models.IntegerField(null=True)), moves)) == ["rows_under_lock"]
    assert codes(migration(moves, sql("DELETE FROM harbour_boat WHERE id = 'x'"))) == []


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
        assert sql_queries.changes_rows(text)
    assert not sql_queries.changes_rows("CREATE TABLE updates (at timestamptz)")


@pytest.mark.parametrize(
    "column",
    [
        "uuid DEFAULT gen_random_uuid()",
        "uuid DEFAULT pg_catalog.uuidv7()",
        "timestamptz DEFAULT now()",
        "timestamptz DEFAULT clock_timestamp() NOT NULL",
        "timestamptz DEFAULT (statement_timestamp() - make_interval(days => 1))",
        "text DEFAULT nullif(current_setting('app.x', true), '')",
        "text DEFAULT coalesce(NULL, upper(random()::text))",
        "numeric(9, 2) DEFAULT 1.5",
        "int GENERATED ALWAYS AS (size * 2) STORED",
        "bigint GENERATED ALWAYS AS IDENTITY",
        "serial",
        "int",
    ],
)
def test_a_table_is_written_anew_where_the_linter_says_so(column: str) -> None:
    said = "table_rewritten" in codes(migration(sql(f"ALTER TABLE harbour_boat ADD n {column}")))
    with connected("DATABASE_SUPERUSER_URL") as database:
        database.execute("CREATE TEMPORARY TABLE boat (size int)")
        database.execute("INSERT INTO boat VALUES (1), (2)")
        file = "SELECT pg_relation_filenode('boat')"
        before = database.execute(file).fetchone()
        database.execute(f"ALTER TABLE boat ADD n {column}".encode())
        assert (database.execute(file).fetchone() != before) == said


def test_what_gives_one_value_for_all_rows_does() -> None:
    rows = _of_postgres(sql_functions.NOT_VOLATILE)
    assert {name for name, _ in rows} == set(sql_functions.NOT_VOLATILE)
    assert {volatility for _, volatility in rows} <= {"i", "s"}


def test_what_is_known_to_be_harmless_is_postgresqls_own() -> None:
    rows = _of_postgres(sql_functions.HARMLESS)
    assert {name for name, _ in rows} == set(sql_functions.HARMLESS)


def _of_postgres(names: tuple[str, ...]) -> list[Any]:
    """Its functions of these names, and how volatile each is."""
    with connected("DATABASE_SUPERUSER_URL") as database:
        known = "SELECT proname, provolatile FROM pg_proc WHERE proname = ANY (%s)"
        own = " AND pronamespace = 'pg_catalog'::regnamespace"
        return database.execute(known + own, [list(names)]).fetchall()
