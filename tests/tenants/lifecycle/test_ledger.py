"""The ledger says what a schema's record says, comes with the schema and goes with it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connections

from tenants.backend.routers import OWNER_ALIAS
from tenants.fleet import planning
from tenants.identifiers import new_id, schema_of
from tenants.lifecycle import ledger, provisioning, targets
from tests.cast import build_tenant, now


@pytest.fixture
def schema() -> Iterator[str]:
    name = schema_of(new_id())
    provisioning.create_schema(name, now=now())
    yield name
    with provisioning.owner_cursor() as cursor:
        provisioning.drop_schema(cursor, name)
        assert name not in ledger.read(cursor)


def test_a_new_schema_has_all_that_it_is_to_have(schema: str) -> None:
    with provisioning.owner_cursor() as cursor:
        assert ledger.read(cursor)[schema] == ledger.digest(targets.of_dedicated())


def test_what_is_not_on_record_is_not_in_the_ledger(schema: str) -> None:
    first, *others = targets.of_dedicated()
    with provisioning.owner_cursor() as cursor:
        record = f'"{schema}".django_migrations'
        cursor.execute(f"DELETE FROM {record} WHERE app = %s AND name = %s", list(first))
        ledger.write(cursor, schema, targets.of_dedicated())
        assert ledger.read(cursor)[schema] == ledger.digest(others)


def test_what_a_later_release_left_counts_for_nothing(schema: str) -> None:
    with provisioning.owner_cursor() as cursor:
        added = f'INSERT INTO "{schema}".django_migrations (app, name, applied)'
        cursor.execute(f"{added} VALUES ('trading', '9999_later', now())")
        ledger.write(cursor, schema, targets.of_dedicated())
        assert ledger.read(cursor)[schema] == ledger.digest(targets.of_dedicated())


def test_a_fault_is_kept_until_the_schema_is_migrated(schema: str) -> None:
    with provisioning.owner_cursor() as cursor:
        ledger.note_fault(cursor, schema, "sunk")
        error = "SELECT error FROM bulkhead.fleet_ledger WHERE schema = %s"
        cursor.execute(error, [schema])
        assert cursor.fetchall() == [("sunk",)]
        assert ledger.read(cursor)[schema] == ledger.digest(targets.of_dedicated())
        ledger.write(cursor, schema, targets.of_dedicated())
        cursor.execute(error, [schema])
        assert cursor.fetchall() == [("",)]


def test_nothing_to_do_is_one_statement(tmp_path: Path) -> None:
    """As libpq sends it: not a BEGIN, not a search_path, however many schemas there are."""
    assert build_tenant("enterprise").live_schema in _kept()
    trace = tmp_path / "trace"
    connections[OWNER_ALIAS].ensure_connection()
    pgconn = connections[OWNER_ALIAS].connection.pgconn
    with trace.open("wb") as file:
        pgconn.trace(file.fileno())
        waiting = planning.due()
        pgconn.untrace()
    lines = trace.read_text(errors="replace").splitlines()
    sent = [line.split("\t")[3] for line in lines if "\tF\t" in line]
    assert waiting == []
    assert [kind for kind in sent if kind in ("Query", "Parse", "Execute")] in (
        ["Query"],
        ["Parse", "Execute"],
    )


def _kept() -> dict[str, str]:
    with provisioning.owner_cursor() as cursor:
        return ledger.read(cursor)
