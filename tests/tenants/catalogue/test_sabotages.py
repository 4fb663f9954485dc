"""Whatever is broken is found, under its own name and no other."""

from __future__ import annotations

import pytest

from tenants.catalogue import comparison, inspection
from tenants.roles import APP, OWNER
from tests.tenants.catalogue import (
    sabotaged_columns,
    sabotaged_distribution,
    sabotaged_functions,
    sabotaged_grants,
    sabotaged_keys,
    sabotaged_owner_tables,
    sabotaged_partitions,
    sabotaged_platform,
    sabotaged_policies,
    sabotaged_shipped,
    sabotaged_tables,
)
from tests.tenants.catalogue.sabotage import Sabotage
from tests.tenants.catalogue.scratch import Scratch

SABOTAGES = [
    *sabotaged_policies.POLICIES,
    *sabotaged_partitions.PARTITIONS,
    *sabotaged_grants.GRANTS,
    *sabotaged_functions.FUNCTIONS,
    *sabotaged_keys.KEYS,
    *sabotaged_keys.REFERENCES,
    *sabotaged_keys.SHARED,
    *sabotaged_columns.COLUMNS,
    *sabotaged_columns.SAFEGUARDS,
    *sabotaged_tables.TABLES,
    *sabotaged_distribution.DISTRIBUTION,
    *sabotaged_platform.ROLES,
    *sabotaged_platform.STRANGERS,
    *sabotaged_platform.DATABASE,
    *sabotaged_platform.PLACES,
    *sabotaged_owner_tables.TICKET_KEY,
    *sabotaged_owner_tables.OWNER_TABLES,
    *sabotaged_shipped.ELSEWHERE,
    *sabotaged_shipped.OPENED,
    *sabotaged_shipped.ALTERED,
    *sabotaged_shipped.REPLACED,
]

# PostgreSQL refuses to change a column on which policies stand; extensions are not in every build.
UNTRIED = {
    "extension",
    "tenant_id_type",
}


@pytest.mark.parametrize("role", [OWNER, APP])
def test_a_healthy_installation_has_no_gap(scratch: Scratch, role: str) -> None:
    assert scratch.gaps(seen_by=role) == []


HARMLESS = {
    "a tenant that is being made": "INSERT INTO tenants_tenant (id, schema_name, slug, name,"
    " status, status_reason, placement, region, created_at, plan_id) SELECT id, 'tenant_' ||"
    " replace(id::text, '-', ''), 'soon', 'Soon', 'provisioning', '', 'dedicated',"
    " 'default', now(), 'enterprise' FROM gen_random_uuid() AS id",
    "a view with its caller's rights": "CREATE VIEW public.mine WITH (security_invoker)"
    " AS SELECT * FROM public.trading_order",
    "columns in another order": "ALTER TABLE {schema}.trading_order DROP COLUMN status_reason,"
    " ADD COLUMN status_reason varchar(64) NOT NULL",
    "a partition with the wall of its table": sabotaged_partitions.WALLED,
    "a default privilege for the owner": "ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS"
    " FROM PUBLIC",
}


@pytest.mark.parametrize("sql", HARMLESS.values(), ids=HARMLESS)
def test_what_harms_nobody_is_no_gap(scratch: Scratch, sql: str) -> None:
    assert scratch.gaps(sql.format(schema=scratch.dedicated)) == []


@pytest.mark.parametrize("sabotage", SABOTAGES, ids=lambda sabotage: sabotage.name)
def test_a_sabotage_is_found_as_itself(scratch: Scratch, sabotage: Sabotage) -> None:
    gaps = scratch.gaps(sabotage.statements(scratch), by_owner=sabotage.by_owner)
    found = sorted((gap.schema, gap.code) for gap in gaps)
    assert found == sabotage.expected(scratch), [gap.sentence for gap in gaps]


@pytest.mark.parametrize(
    "sabotage",
    [*sabotaged_policies.POLICIES, *sabotaged_partitions.PARTITIONS],
    ids=lambda sabotage: sabotage.name,
)
def test_the_application_sees_broken_policies_too(scratch: Scratch, sabotage: Sabotage) -> None:
    gaps = scratch.gaps(sabotage.statements(scratch), seen_by=APP)
    assert sorted((gap.schema, gap.code) for gap in gaps) == sabotage.expected(scratch)


def test_nothing_is_left_behind(scratch: Scratch) -> None:
    before = _schemas(scratch)
    scratch.gaps()
    assert _schemas(scratch) == before


def _schemas(scratch: Scratch) -> list[tuple[str]]:
    return scratch.connection.execute("SELECT nspname FROM pg_namespace ORDER BY 1").fetchall()


def test_every_code_has_a_sabotage() -> None:
    subjects = [*inspection.SUBJECTS, *inspection.OF_THE_OWNER, *comparison.COMPARISONS]
    known = {code for subject in subjects for code in subject.sentences}
    tried = {code for s in SABOTAGES for code in f"{s.codes} {s.also}".split()}
    assert known - tried == UNTRIED
