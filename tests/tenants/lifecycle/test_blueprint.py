"""The kept blueprint: used by whoever comes first, believed only as it was written, and today's."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from django.db import transaction
from django.db.backends.utils import CursorWrapper
from django.test import override_settings

from tenants.backend.routers import OWNER_ALIAS
from tenants.identifiers import new_id, schema_of
from tenants.lifecycle import blueprint, provisioning, shipped_functions, sources
from tests.cast import now
from tests.isolation.database import application
from tests.tenants.lifecycle.test_provisioning import described, drop

_ROOT = Path(__file__).resolve().parents[3]
_CREATE = """
import datetime, sys, django
django.setup()
from tenants.lifecycle import blueprint, provisioning
if "compile-nothing" in sys.argv:
    blueprint.current = lambda: sys.exit("compiled")
provisioning.create_schema(sys.argv[1], now=datetime.datetime.now(datetime.UTC))
"""
_FORGET = "DELETE FROM bulkhead.blueprint"


def creating(schema: str, *how: str) -> subprocess.Popen[str]:
    """A process that makes a schema and nothing else."""
    return subprocess.Popen(
        [sys.executable, "-c", _CREATE, schema, *how],
        cwd=_ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@contextmanager
def undone() -> Iterator[CursorWrapper]:
    """A cursor of the owner's, whose changes nobody else will see."""
    with provisioning.owner_cursor() as cursor:
        yield cursor
        transaction.set_rollback(True, using=OWNER_ALIAS)


@pytest.fixture(autouse=True)
def _forgetful(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a process that has made no schema yet."""
    monkeypatch.setattr(blueprint, "_known", {})


def test_whoever_migrates_keeps_what_the_migrations_say() -> None:
    with undone() as cursor:
        cursor.execute(_FORGET)
        cursor.execute("INSERT INTO bulkhead.blueprint VALUES ('of before', '', %s)", [bytes(32)])
        blueprint.keep(cursor)
        assert blueprint.kept(cursor) == blueprint.current()
        cursor.execute("SELECT state FROM bulkhead.blueprint")
        assert cursor.fetchall() == [(blueprint.state(),)]


def test_the_first_schema_of_a_process_takes_no_compiling() -> None:
    with provisioning.owner_cursor() as cursor:
        blueprint.keep(cursor)
    schema = schema_of(new_id())
    process = creating(schema, "compile-nothing")
    said, _ = process.communicate()
    assert (process.returncode, said) == (0, "")
    compiled = schema_of(new_id())
    with pytest.MonkeyPatch.context() as then:
        then.setattr(blueprint, "kept", lambda _: None)
        provisioning.create_schema(compiled, now=now())
    assert described(schema) == described(compiled)
    for name in (schema, compiled):
        drop(name)


@pytest.mark.parametrize(
    "sabotage",
    [
        _FORGET,
        "UPDATE bulkhead.blueprint SET content = left(content, 5000)",
        "UPDATE bulkhead.blueprint SET content = ''",
        "UPDATE bulkhead.blueprint SET content = replace(content, 'RESTRICTIVE', 'PERMISSIVE')",
        "UPDATE bulkhead.blueprint SET seal = sha256(convert_to(content, 'UTF8'))",
        "UPDATE bulkhead.blueprint SET state = repeat('0', 64)",
    ],
)
def test_what_is_not_as_it_was_written_is_compiled_anew(sabotage: str) -> None:
    with undone() as cursor:
        blueprint.keep(cursor)
        cursor.execute(sabotage)
        assert blueprint.kept(cursor) is None
        assert blueprint.at_hand(cursor) == blueprint.current()
        assert blueprint.kept(cursor) == blueprint.current()


def test_one_of_another_state_is_not_taken_for_todays() -> None:
    """As after a migration was edited: its row is put under today's state by hand."""
    with undone() as cursor:
        cursor.execute(_FORGET)
        with pytest.MonkeyPatch.context() as then:
            then.setattr(blueprint, "state", lambda: "f" * 64)
            blueprint.keep(cursor)
        cursor.execute("UPDATE bulkhead.blueprint SET state = %s", [blueprint.state()])
        assert blueprint.kept(cursor) is None


def test_one_that_was_sealed_with_another_secret_is_not_believed() -> None:
    with undone() as cursor:
        blueprint.keep(cursor)
        with override_settings(TENANT_TICKET_SECRET=b"o" * 32):
            assert blueprint.kept(cursor) is None


def test_a_process_whose_files_were_replaced_keeps_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sources, "are_as_loaded", lambda: False)
    with undone() as cursor:
        cursor.execute(_FORGET)
        assert blueprint.at_hand(cursor) == blueprint.current()
        assert blueprint.kept(cursor) is None


def test_before_the_table_is_there_schemas_are_made_all_the_same() -> None:
    with undone() as cursor:
        cursor.execute("DROP TABLE bulkhead.blueprint")
        assert blueprint.at_hand(cursor) == blueprint.current()


def test_two_that_find_nothing_kept_do_not_stand_in_each_others_way() -> None:
    with provisioning.owner_cursor() as cursor:
        cursor.execute(_FORGET)
    schemas = [schema_of(new_id()), schema_of(new_id())]
    processes = [creating(schema) for schema in schemas]
    said = [process.communicate()[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0], said
    with provisioning.owner_cursor() as cursor:
        assert blueprint.kept(cursor) == blueprint.current()
    assert described(schemas[0]) == described(schemas[1])
    for schema in schemas:
        drop(schema)


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """One with a migration and the code that it calls."""
    monkeypatch.setattr(sources, "_HOUSE", tmp_path)
    (tmp_path / "trading" / "migrations").mkdir(parents=True)
    (tmp_path / "tenants").mkdir()
    (tmp_path / "trading" / "migrations" / "0001_first.py").write_text("operations = []")
    (tmp_path / "tenants" / "rls.py").write_text("RULE = 1")
    return tmp_path


@pytest.mark.parametrize("file", ["trading/migrations/0001_first.py", "tenants/rls.py"])
def test_an_edited_source_is_another_state(house: Path, file: str) -> None:
    before = sources.digest(180000)
    (house / file).write_text("something else")
    assert sources.digest(180000) != before


def test_a_renamed_migration_and_another_server_are_other_states(house: Path) -> None:
    before = sources.digest(180000)
    assert sources.digest(180001) != before
    first = house / "trading" / "migrations" / "0001_first.py"
    first.rename(first.with_name("0001_begin.py"))
    assert sources.digest(180000) != before


def test_what_python_leaves_beside_the_sources_is_no_other_state(house: Path) -> None:
    before = sources.digest(180000)
    (house / "tenants" / "__pycache__").mkdir()
    (house / "tenants" / "__pycache__" / "rls.cpython-311.pyc").write_bytes(b"compiled")
    (house / "tenants" / "notes.txt").write_text("a note")
    assert sources.digest(180000) == before


def test_files_younger_than_the_process_are_not_what_it_has_loaded(house: Path) -> None:
    assert not sources.are_as_loaded()
    for file in sources.files():
        file.unlink()
    assert sources.are_as_loaded()


@pytest.mark.parametrize("table", ["blueprint", "function_record"])
@pytest.mark.parametrize(
    "statement",
    ["SELECT FROM {}", "INSERT INTO {} DEFAULT VALUES", "DELETE FROM {}", "TRUNCATE {}"],
)
def test_the_application_has_no_right_to_what_the_owner_keeps(statement: str, table: str) -> None:
    with application() as cursor, pytest.raises(psycopg.errors.InsufficientPrivilege):
        cursor.execute(statement.format(f"bulkhead.{table}").encode())


def test_functions_are_recorded_once_on_a_release() -> None:
    """What was replaced since is not taken for what PostgreSQL ships."""
    count = "SELECT count(*) FROM bulkhead.function_record WHERE definition = 'mine'"
    with undone() as cursor:
        cursor.execute("UPDATE bulkhead.function_record SET definition = 'mine'")
        shipped_functions.record(cursor)
        cursor.execute(count)
        ((mine,),) = cursor.fetchall()
        assert mine > 3000
        cursor.execute("DELETE FROM bulkhead.function_record")
        shipped_functions.record(cursor)
        cursor.execute(count)
        assert cursor.fetchall() == [(0,)]
