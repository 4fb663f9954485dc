"""Locks that others hold, a run that is killed, two at once: nobody waits long."""

from __future__ import annotations

import signal
import subprocess
import time
from typing import Any

import psycopg

from tests.tenants.fleet.conftest import Fleet

_IMPATIENT = {"MIGRATION_LOCK_TIMEOUT_MS": "50", "MIGRATION_LOCK_TRIES": "3"}


def test_a_schema_in_use_is_given_up_and_the_others_go_on(fleet: Fleet) -> None:
    busy = fleet.schemas[-1]
    added = fleet.yard.add_column("draught")
    url = fleet.scratch.environment["DATABASE_SUPERUSER_URL"]
    with psycopg.connect(url) as trading:
        trading.execute(f'LOCK TABLE "{busy}".harbour_boat IN ACCESS SHARE MODE')
        code, told = fleet.told(**_IMPATIENT)
        (failed,) = told["failed"]
        assert (code, failed["schema"], failed["failed"]) == (1, busy, added)
        assert "lock timeout" in failed["error"]
        assert fleet.having("draught") == {"public", *fleet.schemas} - {busy}
        _, due = fleet.told("--check")
        assert [one["schema"] for one in due["due"]] == [busy]
        assert "lock timeout" in due["due"][0]["error"]
    code, told = fleet.told()
    assert (code, [one["schema"] for one in told["migrated"]]) == (0, [busy])


def test_a_wall_that_has_to_wait_leaves_nothing_open(fleet: Fleet) -> None:
    """Walls come at the end of a migration, where Django's editor would not roll back: `public`
    and each schema would be tried again in a transaction that has failed."""
    fleet.yard.add(
        """migrations.CreateModel(
            name="Buoy",
            fields=[
                ("id", models.UUIDField(default=new_id, editable=False, primary_key=True,
                    serialize=False)),
                ("tenant_id", ownership.TenantId()),
                ("boat", ownership.TenantForeignKey(to="harbour.boat", on_delete=models.PROTECT,
                    db_constraint=False, db_index=False)),
            ],
            options={"constraints": [
                constraints.TenantWall(name="tests_buoy_wall"),
                constraints.TenantReference(name="tests_buoy_boat", field="boat"),
            ]},
        )""",
    )
    url = fleet.scratch.environment["DATABASE_SUPERUSER_URL"]
    busy = ("public", fleet.schemas[0], fleet.schemas[2])
    with psycopg.connect(url) as trading:
        for schema in busy:
            trading.execute(f'LOCK TABLE "{schema}".harbour_boat IN ACCESS SHARE MODE'.encode())
        ran = fleet.run(**_IMPATIENT)
        assert ran.returncode == 1
        assert "public: canceling statement due to lock timeout" in ran.stderr
    with psycopg.connect(url) as trading:
        trading.execute(f'LOCK TABLE "{busy[2]}".harbour_boat IN ACCESS SHARE MODE'.encode())
        running = fleet.begun("--json")
        others = len(fleet.schemas)  # with `public`
        waited_for(
            fleet, f"SELECT count(*) = {others} FROM pg_class WHERE relname = 'harbour_buoy'"
        )
        time.sleep(0.5)  # it is tried more than once
        trading.rollback()
    _, complaint = running.communicate(timeout=60)
    assert running.returncode == 0, complaint
    fleet.yard.add('migrations.DeleteModel("Buoy")')
    assert fleet.told()[0] == 0


def test_a_lock_that_is_let_go_is_waited_for_in_short_turns(fleet: Fleet) -> None:
    """Meanwhile who reads the table waits no longer than one turn."""
    busy = fleet.schemas[-1]
    fleet.yard.add_column("beam")
    url = fleet.scratch.environment["DATABASE_SUPERUSER_URL"]
    with psycopg.connect(url) as trading:
        trading.execute(f'LOCK TABLE "{busy}".harbour_boat IN ACCESS SHARE MODE')
        running = fleet.begun("--json")
        all_others = len(fleet.schemas)  # with `public`
        waited_for(fleet, f"SELECT count(*) = {all_others} FROM ({having('beam')}) h")
        fleet.database.execute("SET statement_timeout = '10s'")
        fleet.database.execute(f'SELECT count(*) FROM "{busy}".harbour_boat')
        fleet.database.execute("RESET statement_timeout")
        trading.rollback()
    said, complaint = running.communicate(timeout=60)
    assert running.returncode == 0, complaint
    assert '"failed": []' in said
    assert fleet.having("beam") == {"public", *fleet.schemas}


def test_a_killed_run_is_finished_by_the_next(fleet: Fleet) -> None:
    for number in range(3):
        added = fleet.yard.add(
            f'migrations.AddField("boat", "deck_{number}", models.IntegerField(null=True))',
            'migrations.RunSQL("SELECT pg_sleep(0.4)", migrations.RunSQL.noop)',
        )
    running = fleet.begun("--jobs", "2")
    waited_for(fleet, f"SELECT count(*) >= 3 FROM ({having('deck_1')}) h")
    killed(running)
    waited_for(fleet, f"SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE {_OURS})")
    assert fleet.told("--check")[0] == 1
    code, told = fleet.told("--jobs", "3")
    assert (code, told["failed"]) == (0, [])
    everywhere = {"public", *fleet.schemas}
    assert [fleet.having(f"deck_{number}") for number in range(3)] == [everywhere] * 3
    assert [fleet.recorded(schema, added) for schema in everywhere] == [1] * len(everywhere)


def test_two_runs_exclude_each_other(fleet: Fleet) -> None:
    added = fleet.yard.add_sql("SELECT pg_sleep(0.5)")
    running = fleet.begun()
    waited_for(fleet, f"SELECT EXISTS (SELECT FROM pg_stat_activity WHERE {_OURS} AND {_SLEEPS})")
    ran = fleet.scratch.manage("migrate_fleet")
    assert ran.returncode == 1
    assert "schemas_in_use: Migrations run: try again when they are done." in ran.stderr
    running.communicate(timeout=60)
    assert running.returncode == 0
    assert [fleet.recorded(schema, added) for schema in fleet.schemas] == [1] * len(fleet.schemas)


def test_jobs_work_side_by_side(fleet: Fleet) -> None:
    """Each waits until another is in its schema too; alone, nobody would get on."""
    fleet.database.execute(
        "CREATE TABLE bulkhead.met (schema text); GRANT ALL ON bulkhead.met TO PUBLIC"
    )
    canary = fleet.schemas[0]
    fleet.yard.add_sql(
        "DO $$ BEGIN"
        # Without that table, as whoever is made after this test finds it, there is nothing to do.
        " IF to_regclass('bulkhead.met') IS NOT NULL"
        f" AND current_schema() NOT IN ('public', '{canary}') THEN"
        " PERFORM pg_advisory_lock_shared(71); FOR i IN 1..200 LOOP"
        " EXIT WHEN (SELECT count(*) > 1 FROM pg_lock_status() WHERE locktype = 'advisory'"
        " AND objid = 71) OR (SELECT count(*) > 1 FROM bulkhead.met);"
        " PERFORM pg_sleep(0.05); IF i = 200 THEN RAISE EXCEPTION 'alone'; END IF; END LOOP;"
        " INSERT INTO bulkhead.met VALUES (current_schema()); END IF; END $$"
    )
    try:
        code, told = fleet.told("--jobs", "3")
        assert (code, told["failed"]) == (0, [])
    finally:
        fleet.database.execute("DROP TABLE bulkhead.met")


_OURS = "usename = 'bulkhead_owner' AND datname = current_database()"
_SLEEPS = "query LIKE '%pg_sleep%'"


def having(column: str) -> str:
    return (
        "SELECT table_schema FROM information_schema.columns"
        f" WHERE table_name = 'harbour_boat' AND column_name = '{column}'"
    )


def waited_for(fleet: Fleet, question: str, seconds: float = 60) -> None:
    until = time.monotonic() + seconds
    while not one(fleet.database.execute(question.encode())):
        assert time.monotonic() < until, question
        time.sleep(0.02)


def one(cursor: Any) -> bool:
    ((answer,),) = cursor.fetchall()
    return bool(answer)


def killed(process: subprocess.Popen[str]) -> None:
    assert process.poll() is None
    process.send_signal(signal.SIGKILL)
    process.communicate()
