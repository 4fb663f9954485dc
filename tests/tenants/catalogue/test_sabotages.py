"""Whatever is broken is found, under its own name and no other."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tenants.catalogue import comparison, inspection
from tests.tenants.catalogue import sabotaged_partitions
from tests.tenants.catalogue.sabotage import Sabotage
from tests.tenants.catalogue.sabotages import SABOTAGES
from tests.tenants.catalogue.scratch import Scratch

# PostgreSQL refuses to change a column on which policies stand; extensions are not in every build;
# what a whole server begins with is tried on one of its own (`test_server_settings.py`).
UNTRIED = {
    "extension",
    "server_setting",
    "tenant_id_type",
}
HARMLESS = {
    "nothing": "",
    "a tenant that is being made": "INSERT INTO tenants_tenant (id, schema_name, slug, name,"
    " status, status_reason, placement, region, created_at, plan_id) SELECT id, 'tenant_' ||"
    " replace(id::text, '-', ''), 'soon', 'Soon', 'provisioning', '', 'dedicated',"
    " 'default', now(), 'enterprise' FROM gen_random_uuid() AS id",
    "a view with its caller's rights": "CREATE VIEW public.mine WITH (security_invoker)"
    " AS SELECT * FROM public.trading_order",
    "columns in another order": "ALTER TABLE {schema}.trading_order DROP COLUMN status_reason,"
    " ADD COLUMN status_reason varchar(64) NOT NULL",
    "a partition with the wall of its table": sabotaged_partitions.WALLED,
    "a partition that is cut once more": "CREATE TABLE public.candle_1980"
    " PARTITION OF public.market_candle FOR VALUES FROM ('1980-01-01') TO ('1981-01-01')"
    " PARTITION BY LIST (symbol);"
    " CREATE TABLE public.candle_1980_rest PARTITION OF public.candle_1980 DEFAULT",
    "a partition whose rules were there before": "CREATE TABLE public.candle_1980"
    " (LIKE public.market_candle INCLUDING ALL); ALTER TABLE public.market_candle ATTACH PARTITION"
    " public.candle_1980 FOR VALUES FROM ('1980-01-01') TO ('1981-01-01')",
    "how many connections a role may have": "RESET ROLE;"
    " ALTER ROLE bulkhead_app CONNECTION LIMIT 90 VALID UNTIL '2099-01-01'",
    "a default privilege for the owner": "ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS"
    " FROM PUBLIC",
}


@pytest.fixture(scope="module")
def patterned(scratch: Scratch) -> Iterator[Scratch]:
    """To make a schema for each comparison takes longer than all that is compared."""
    with scratch.with_pattern() as made:
        yield made


@pytest.mark.parametrize("sql", HARMLESS.values(), ids=HARMLESS)
def test_what_harms_nobody_is_no_gap(patterned: Scratch, sql: str) -> None:
    assert patterned.gaps(sql.format(schema=patterned.dedicated)) == []


@pytest.mark.parametrize("sabotage", [s for s in SABOTAGES if not s.anew], ids=lambda s: s.name)
def test_a_sabotage_is_found_as_itself(patterned: Scratch, sabotage: Sabotage) -> None:
    gaps = patterned.gaps(sabotage.statements(patterned), by_owner=sabotage.by_owner)
    found = sorted((gap.schema, gap.code) for gap in gaps)
    assert found == sabotage.expected(patterned), [gap.sentence for gap in gaps]


def test_every_code_has_a_sabotage() -> None:
    subjects = [*inspection.SUBJECTS, *inspection.OF_THE_OWNER, *comparison.COMPARISONS]
    known = {code for subject in subjects for code in subject.sentences}
    tried = {code for s in SABOTAGES for code in f"{s.codes} {s.also}".split()}
    assert known - tried == UNTRIED
