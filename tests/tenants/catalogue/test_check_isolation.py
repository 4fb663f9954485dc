"""The command and the system check: what an operator sees, and the exit code."""

from __future__ import annotations

import json

import pytest

from tenants.catalogue import recorded
from tenants.identifiers import new_id, schema_of
from tests.tenants.catalogue.scratch import Scratch

_LOG_INS = ("DATABASE_URL", "DATABASE_OWNER_URL")
_BREAK = "ALTER TABLE public.trading_order DISABLE ROW LEVEL SECURITY"
_REPAIR = "ALTER TABLE public.trading_order ENABLE ROW LEVEL SECURITY"


def test_a_healthy_installation_takes_one_line(scratch: Scratch) -> None:
    ran = scratch.manage("check_isolation")
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.endswith(" tables in 3 schemas: no gap\n")
    assert ran.stdout.count("\n") == 1


def test_gaps_are_listed_by_schema_and_fail(scratch: Scratch) -> None:
    with scratch.broken(_BREAK, _REPAIR):
        ran = scratch.manage("check_isolation")
    assert ran.returncode == 1
    assert ran.stdout.startswith("public:\n  trading_order [rls_off] Row-level security is off")
    assert "1 gap in " in ran.stderr


def test_new_partitions_open_no_gap_in_the_walls(scratch: Scratch) -> None:
    assert scratch.manage("make_partitions", "--months", "15").returncode == 0
    ran = scratch.manage("check_isolation")
    assert (ran.returncode, ran.stderr) == (0, "")


def test_machines_get_json(scratch: Scratch) -> None:
    with scratch.broken(_BREAK, _REPAIR):
        ran = scratch.manage("check_isolation", "--json")
    (gap,) = json.loads(ran.stdout)["gaps"]
    assert ran.returncode == 1
    assert (gap["schema"], gap["object"], gap["code"]) == ("public", "trading_order", "rls_off")


def test_without_the_owner_it_says_what_is_missing(scratch: Scratch) -> None:
    ran = scratch.manage("check_isolation", DATABASE_OWNER_URL="")
    assert ran.returncode == 1
    assert "DATABASE_OWNER_URL" in ran.stderr


def test_the_system_check_finds_nothing_in_a_healthy_one(scratch: Scratch) -> None:
    assert scratch.manage("check").returncode == 0


@pytest.mark.parametrize("arguments", [(), ("--tag", "database"), ("--database", "default")])
def test_the_system_check_reads_the_catalogue_as_the_owner(
    scratch: Scratch, arguments: tuple[str, ...]
) -> None:
    with scratch.broken(_BREAK, _REPAIR):
        ran = scratch.manage("check", *arguments)
    assert ran.returncode == 1
    assert "public.trading_order: (tenants.rls_off)" in ran.stderr


def test_the_system_check_reads_what_the_application_can(scratch: Scratch) -> None:
    with scratch.broken(_BREAK, _REPAIR):
        ran = scratch.manage("check", DATABASE_OWNER_URL="")
    assert ran.returncode == 1
    assert "public.trading_order: (tenants.rls_off)" in ran.stderr


def test_checks_of_the_code_alone_need_no_database(scratch: Scratch) -> None:
    away = dict.fromkeys(_LOG_INS, "postgres://nobody@127.0.0.1:9/none")
    assert scratch.manage("check", "--tag", "models", "--tag", "security", **away).returncode == 0
    ran = scratch.manage("check", **away)
    assert ran.returncode == 1
    assert "tenants.E030" in ran.stderr


def test_a_schema_that_goes_meanwhile_is_no_gap(scratch: Scratch) -> None:
    """Listed, and then gone with its tenant: the records of the others are read all the same."""
    there = [("public", "public"), (scratch.dedicated, scratch.dedicated)]
    listed = [*there, (schema_of(new_id()), "tenant_that_went")]
    with scratch.connection.cursor() as cursor:
        rows = recorded._read(cursor, listed)
    scratch.connection.rollback()
    assert {schema for schema, _, _ in rows} == {"public", scratch.dedicated}
