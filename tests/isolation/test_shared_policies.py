"""Each policy of each table that tenants share, opened and dropped in turn: every one bears weight.

Those who may write inside their tenant are looked at more closely in `test_shared_walls`.
"""

from __future__ import annotations

import pytest

from accounts.access.models import TenantPolicy
from tenants.catalogue import known_tables
from tenants.rls import SharedWall
from tests.isolation.database import as_tenant, connected
from tests.isolation.shared_rows import tried
from tests.isolation.test_shared_walls import TIERS
from tests.isolation.world import World

ALL = known_tables.shared_walls()
WALLED = {table: wall for table, wall in ALL.items() if wall.rules()}
# Without policies, and why.
UNWALLED = {
    "market_candleload": "where COPY puts bars on their way in; empty between two transactions",
    "market_tickload": "the same for ticks",
}
POLICIES = {
    f"{table}.{name}": (wall, name) for table, wall in WALLED.items() for name in wall.rules()
}
# What is for everybody hides nothing.
HIDING = {
    name: (wall, policy)
    for name, (wall, policy) in POLICIES.items()
    if not (wall.read == "everywhere" and policy == SharedWall.READ_POLICY)
}
INSIDE = {table: wall for table, wall in WALLED.items() if wall.write == "inside"}

_PARTS = {
    "SELECT": "USING (true)",
    "INSERT": "WITH CHECK (true)",
    "UPDATE": "USING (true) WITH CHECK (true)",
    "DELETE": "USING (true)",
}


@pytest.fixture(scope="module")
def peopled(world: World) -> World:
    """Each tenant has a policy too, which most do without."""
    for tenant_id in world.owners:
        TenantPolicy.objects.get_or_create(pk=tenant_id)
    return world


def command_of(wall: SharedWall, name: str) -> str:
    return wall.rules()[name][0]


def opened(wall: SharedWall, name: str) -> str:
    return f"ALTER POLICY {name} ON public.{wall.table} {_PARTS[command_of(wall, name)]}"


@pytest.mark.parametrize("first", TIERS.values(), ids=TIERS)
@pytest.mark.parametrize(("wall", "name"), HIDING.values(), ids=HIDING)
def test_a_policy_keeps_tenants_from_what_is_not_theirs(
    peopled: World, wall: SharedWall, name: str, first: int
) -> None:
    """What is changed has to be found first: reading is open, so that this policy stands alone."""
    context, command = as_tenant(peopled.traders[first]), command_of(wall, name)
    seen = [] if command in ("SELECT", "INSERT") else [opened(wall, wall.READ_POLICY)]
    with tried(wall, seen, context) as trial:
        assert not trial.reaches(command)
    with tried(wall, [*seen, opened(wall, name)], context) as trial:
        assert trial.reaches(command)


@pytest.mark.parametrize(("wall", "name"), POLICIES.values(), ids=POLICIES)
def test_nothing_but_its_policy_lets_the_platform_in(wall: SharedWall, name: str) -> None:
    command = command_of(wall, name)
    with tried(wall) as trial:
        assert trial.reaches(command)
    with tried(wall, [f"DROP POLICY {name} ON public.{wall.table}"]) as trial:
        assert not trial.reaches(command)


@pytest.mark.parametrize("first", TIERS.values(), ids=TIERS)
@pytest.mark.parametrize("wall", INSIDE.values(), ids=INSIDE)
def test_no_row_is_given_to_another_tenant(peopled: World, wall: SharedWall, first: int) -> None:
    context, update = as_tenant(peopled.traders[first]), wall.WRITE_POLICIES[1]
    seen = [opened(wall, wall.READ_POLICY)]
    with tried(wall, seen, context) as trial:
        assert not trial.gives_away()
    unchecked = f"ALTER POLICY {update} ON public.{wall.table} WITH CHECK (true)"
    with tried(wall, [*seen, unchecked], context) as trial:
        assert trial.gives_away()


def test_no_shared_table_is_left_out() -> None:
    """Neither one that the code knows, nor a policy that the database has."""
    tables = {model._meta.db_table for model in known_tables.shared_models()}
    assert tables == WALLED.keys() | UNWALLED.keys()
    with connected() as connection:
        found = connection.execute(
            "SELECT tablename || '.' || policyname FROM pg_policies"
            " WHERE schemaname = 'public' AND tablename = ANY (%s)",
            [list(tables)],
        ).fetchall()
    assert {name for (name,) in found} == POLICIES.keys()
