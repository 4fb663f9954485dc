"""Walls of the tables that tenants share: people's places, sessions, keys, offers, staff let in.

Raw SQL as the application's role; each wall is then taken down to show that it bore the weight.
"""

from __future__ import annotations

from datetime import timedelta

import psycopg
import pytest

from accounts.access.models import TenantPolicy
from accounts.sessions.models import RefreshToken, Session
from tenants.catalogue import known_tables
from tenants.rls import SharedWall
from tests.cast import now
from tests.isolation.database import as_tenant, as_user, inside, sabotaged
from tests.isolation.world import World, build_world

WALLS = {
    table: wall
    for table, wall in known_tables.shared_walls().items()
    if wall.tenant_column == "tenant_id" and wall.write == "inside"
}
KEPT = {table: wall for table, wall in WALLS.items() if wall.read == "kept"}
CHANGES = [
    (table, verb)
    for table, wall in WALLS.items()
    for verb in ("update", "delete")
    if verb.upper() in wall.privileges
]
TIERS = {"shared": 0, "dedicated": 3}


@pytest.fixture(scope="module")
def peopled() -> World:
    """Everybody of the world has a session and a refresh token too, and each tenant a policy."""
    world = build_world()
    for trader in world.traders:
        tenant_id, user_id = trader.person.tenant.id, trader.person.user_id
        ends = now() + timedelta(days=1)
        whose = {"tenant_id": tenant_id, "user_id": user_id, "created_at": now()}
        session = Session.objects.create(**whose, last_seen_at=now(), expires_at=ends)
        digest = user_id.bytes + tenant_id.bytes
        RefreshToken.objects.create(**whose, session=session, digest=digest, expires_at=ends)
        TenantPolicy.objects.get_or_create(pk=tenant_id)
    return world


def counted(cursor: psycopg.Cursor, table: str, condition: str, *values: object) -> int:
    cursor.execute(f"SELECT count(*) FROM public.{table} WHERE {condition}".encode(), values)
    return int(cursor.fetchone()[0])


def opened(table: str, *policies: str) -> str:
    """The walls let everything through, as a superuser could make them."""
    parts = {
        "shared_read": "USING (true)",
        "shared_update": "USING (true) WITH CHECK (true)",
        "shared_delete": "USING (true)",
    }
    return "; ".join(f"ALTER POLICY {name} ON public.{table} {parts[name]}" for name in policies)


@pytest.mark.parametrize("first", TIERS.values(), ids=TIERS)
@pytest.mark.parametrize("table", WALLS)
def test_no_row_of_another_tenant_is_read(peopled: World, table: str, first: int) -> None:
    alice = peopled.traders[first]
    tenant_id = alice.person.tenant.id
    with inside(as_tenant(alice)) as cursor:
        assert counted(cursor, table, "tenant_id <> %s", tenant_id) == 0
        assert counted(cursor, table, "tenant_id = %s", tenant_id) > 0
    with sabotaged(opened(table, "shared_read"), as_tenant(alice)) as cursor:
        assert counted(cursor, table, "tenant_id <> %s", tenant_id) > 0


@pytest.mark.parametrize("first", TIERS.values(), ids=TIERS)
@pytest.mark.parametrize(("table", "wall"), KEPT.items(), ids=KEPT)
def test_a_person_reads_of_what_is_kept_their_own_alone(
    peopled: World, table: str, wall: SharedWall, first: int
) -> None:
    alice = peopled.traders[first]
    others = f"{wall.owner_column} <> %s" if wall.owner_column else "%s IS NOT NULL"
    with inside(as_user(alice)) as cursor:
        assert counted(cursor, table, others, alice.person.user_id) == 0
        if wall.owner_column:
            own = f"{wall.owner_column} = %s"
            assert counted(cursor, table, own, alice.person.user_id) > 0
    with sabotaged(opened(table, "shared_read"), as_user(alice)) as cursor:
        assert counted(cursor, table, others, alice.person.user_id) > 0


@pytest.mark.parametrize("first", TIERS.values(), ids=TIERS)
@pytest.mark.parametrize(("table", "verb"), CHANGES)
def test_no_row_of_another_tenant_is_changed(
    peopled: World, table: str, first: int, verb: str
) -> None:
    alice = peopled.traders[first]
    foreign = "WHERE tenant_id <> %s"
    statement = {
        "update": f"UPDATE public.{table} SET tenant_id = tenant_id {foreign}",
        "delete": f"DELETE FROM public.{table} {foreign}",
    }[verb].encode()
    with inside(as_tenant(alice)) as cursor:
        cursor.execute(statement, [alice.person.tenant.id])
        assert cursor.rowcount == 0
    with sabotaged(opened(table, "shared_read", f"shared_{verb}"), as_tenant(alice)) as cursor:
        cursor.execute(statement, [alice.person.tenant.id])
        assert cursor.rowcount > 0


@pytest.mark.parametrize("first", TIERS.values(), ids=TIERS)
@pytest.mark.parametrize(("table", "wall"), WALLS.items(), ids=WALLS)
def test_a_person_changes_nothing_that_is_not_their_own(
    peopled: World, table: str, wall: SharedWall, first: int
) -> None:
    alice = peopled.traders[first]
    others = f"{wall.owner_column} <> %s" if wall.owner_column else "%s IS NOT NULL"
    statement = f"UPDATE public.{table} SET tenant_id = tenant_id WHERE {others}".encode()
    with inside(as_user(alice)) as cursor:
        cursor.execute(statement, [alice.person.user_id])
        assert cursor.rowcount == 0
    with sabotaged(opened(table, "shared_read", "shared_update"), as_user(alice)) as cursor:
        cursor.execute(statement, [alice.person.user_id])
        assert cursor.rowcount > 0
