"""What the schemas are held against: one made for it and undone, or what the application sees."""

from __future__ import annotations

import pytest

from tenants.roles import APP, OWNER
from tests.tenants.catalogue import sabotaged_partitions, sabotaged_policies
from tests.tenants.catalogue.sabotage import Sabotage
from tests.tenants.catalogue.sabotages import SABOTAGES
from tests.tenants.catalogue.scratch import Scratch


@pytest.mark.parametrize("role", [OWNER, APP])
def test_a_healthy_installation_has_no_gap(scratch: Scratch, role: str) -> None:
    assert scratch.gaps(seen_by=role) == []


@pytest.mark.parametrize("sabotage", [s for s in SABOTAGES if s.anew], ids=lambda s: s.name)
def test_a_sabotage_of_all_schemas_is_found(scratch: Scratch, sabotage: Sabotage) -> None:
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
