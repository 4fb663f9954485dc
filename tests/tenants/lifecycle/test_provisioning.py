"""A dedicated schema by replay: quick, whole or not at all, and the same as a migrated one."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from django.db import DatabaseError

from tenants.catalogue import facts, filled, recorded
from tenants.fleet import schemas
from tenants.fleet.schemas import Brought
from tenants.fleet.steps import Step
from tenants.identifiers import new_id, schema_of, tenant_of
from tenants.lifecycle import blueprint, provisioning, targets
from tests.cast import now
from tests.tenants.lifecycle.by_django import migrated

# Everything that makes a table what it is; `%s` is the schema.
CATALOGUE = {
    "columns": "SELECT table_name, column_name, data_type, is_nullable, column_default,"
    " numeric_precision, numeric_scale, character_maximum_length"
    " FROM information_schema.columns WHERE table_schema = %s",
    "constraints": "SELECT c.conrelid::regclass::text, conname, pg_get_constraintdef(c.oid)"
    " FROM pg_constraint c WHERE connamespace = %s::regnamespace",
    "indexes": "SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = %s",
    "policies": "SELECT tablename, policyname, permissive, roles::text, cmd, qual, with_check"
    " FROM pg_policies WHERE schemaname = %s",
    "walls": "SELECT relname, relrowsecurity, relforcerowsecurity, relowner::regrole::text,"
    " relacl::text FROM pg_class WHERE relnamespace = %s::regnamespace AND relkind = 'r'",
    "triggers": "SELECT c.relname, t.tgname, pg_get_triggerdef(t.oid) FROM pg_trigger t"
    " JOIN pg_class c ON c.oid = t.tgrelid WHERE c.relnamespace = %s::regnamespace"
    " AND NOT t.tgisinternal",
}


def described(schema: str) -> dict[str, set[tuple[Any, ...]]]:
    """The schema's catalogue, with its own name and tenant taken out."""
    tenant_id = str(tenant_of(schema))

    def neutral(value: Any) -> Any:
        return str(value).replace(schema, "<schema>").replace(tenant_id, "<tenant>")

    found = {}
    with provisioning.owner_cursor() as cursor:
        for name, query in CATALOGUE.items():
            cursor.execute(query, [schema])
            found[name] = {tuple(map(neutral, row)) for row in cursor.fetchall()}
    return found


def drop(schema: str) -> None:
    with provisioning.owner_cursor() as cursor:
        provisioning.drop_schema(cursor, schema)


@pytest.fixture
def schema() -> str:
    return schema_of(new_id())


def test_a_replayed_schema_is_the_same_as_a_migrated_one(schema: str) -> None:
    provisioning.create_schema(schema, now=now())
    by_django = migrated(schema_of(new_id()))
    replayed, expected = described(schema), described(by_django)
    for name in CATALOGUE:
        assert replayed[name] == expected[name], name
    assert len(replayed["policies"]) > len(replayed["walls"])
    for name in (schema, by_django):
        drop(name)


def test_a_replayed_schema_is_migrated_again_in_vain(schema: str) -> None:
    """As every start of an installation does; its history has to be whole for that."""
    provisioning.create_schema(schema, now=now())
    before = described(schema)
    steps = {key: Step(key) for key in targets.of_dedicated()}
    assert schemas.bring_up(schema, "", steps) == Brought(schema, "")
    assert described(schema) == before
    assert filled.gaps(schema) == []
    with provisioning.owner_cursor() as cursor:
        assert list(recorded.gaps(cursor, facts.parameters("public", only=schema))) == []
    drop(schema)


def test_making_a_schema_twice_changes_nothing(schema: str) -> None:
    provisioning.create_schema(schema, now=now())
    before = described(schema)
    assert provisioning.create_schema(schema, now=now()) == 0.0
    assert described(schema) == before
    drop(schema)


def test_a_failure_halfway_leaves_no_schema(schema: str, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = blueprint.current()
    broken = blueprint.Blueprint((*whole.statements, "SELECT 1 / 0"), whole.migrations)
    monkeypatch.setattr(blueprint, "at_hand", lambda _: broken)
    with pytest.raises(DatabaseError):
        provisioning.create_schema(schema, now=now())
    with provisioning.owner_cursor() as cursor:
        cursor.execute("SELECT to_regnamespace(%s)", [schema])
        assert cursor.fetchone() == (None,)


@pytest.mark.parametrize("name", ["public", "tenant_x", 'tenant_" ; DROP', "pg_catalog", ""])
def test_no_other_schema_is_ever_made(name: str) -> None:
    with pytest.raises(ValueError, match="no tenant's schema"):
        provisioning.create_schema(name, now=now())


def test_a_schema_name_leads_back_to_its_tenant() -> None:
    tenant_id = new_id()
    assert tenant_of(schema_of(tenant_id)) == tenant_id
    assert isinstance(tenant_id, UUID)
    assert tenant_id.version == 7
