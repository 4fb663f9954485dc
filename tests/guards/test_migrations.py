"""No migration does what a release that runs meanwhile does not survive, unless it says why."""

from __future__ import annotations

import pytest

from tenants.fleet import linting
from tenants.fleet.hazard import SENTENCES
from tenants.lifecycle import targets

ACCEPTING = [
    key
    for key, migration in sorted(targets.loader().disk_migrations.items())
    if getattr(migration, "accepts", None)
]


def test_no_migration_is_unsafe_while_a_release_runs() -> None:
    assert [f"{one.migration} [{one.code}] {one.sentence}" for one in linting.lint()] == []


@pytest.mark.parametrize("key", ACCEPTING, ids=".".join)
def test_what_is_accepted_has_its_reason(key: tuple[str, str]) -> None:
    accepts = targets.loader().disk_migrations[key].accepts
    assert set(accepts) <= set(SENTENCES)
    assert all(len(reason) > 20 for reason in accepts.values())
