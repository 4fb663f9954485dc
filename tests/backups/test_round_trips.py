"""Whatever a tenant's tables can hold comes back: in its place, on the other tier, as a new one.

The suite tries a little, and the same each time; a campaign by ROUND_TRIPS draws anew.
"""

from __future__ import annotations

import os
from typing import Any
from unittest import mock
from uuid import UUID, uuid4

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings

from backups.models import Backup
from backups.swapping import TRAIL
from tenants.lifecycle import founding
from tenants.models import Tenant
from tenants.moving import carrying
from tenants.moving.route import Route, Table
from tests.backups.invented import DRAWN, Drawn, Inventor, Met
from tests.backups.keepers import restore, restore_into, take
from tests.cast import House, build_house
from tests.isolation.database import connected

EXAMPLES = int(os.environ.get("ROUND_TRIPS", "0"))
TIERS = ("starter", "enterprise")
ALL = (UUID(int=0), UUID(int=2**128 - 1))  # ids
# Another tenant has a trail of its own, and goes without these.
NOT_COPIED = {"trading_exchangecredential", "trading_venueintent", "trading_idempotentrequest"}
_SLEEP = b"UPDATE tenants_tenant SET status = 'suspended' WHERE id = %s"

Sums = dict[str, tuple[object, ...] | None]


def sums(tenant: Tenant, *, without: set[str] | frozenset[str] = frozenset()) -> Sums:
    """Count and checksum of each table, as moves compare them, but for whose the rows are."""
    tenant.refresh_from_db()
    route, found = Route(tenant.id, tenant.live_schema, ""), {}
    with connected("DATABASE_SUPERUSER_URL") as database:
        for table in carrying.tables():
            if table.name not in without:
                all_but_the_tenant = Table(table.name, table.columns[1:])
                statement = route.checksum(all_but_the_tenant, tenant.live_schema).encode()
                found[table.name] = database.execute(statement, [tenant.id, *ALL]).fetchone()
    return found


def empty(tenant: Tenant) -> None:
    """Of all rows, the trail's too; and asleep, for no timer of the platform could read them."""
    with psycopg.connect(os.environ["DATABASE_SUPERUSER_URL"]) as database:
        database.execute(b"SET session_replication_role = replica")
        for table in carrying.tables():
            statement = f'DELETE FROM "{tenant.live_schema}"."{table.name}" WHERE tenant_id = %s'
            database.execute(statement.encode(), [tenant.id])
        database.execute(_SLEEP, [tenant.id])


def as_a_new_one(backup: Backup, tier: str) -> Sums:
    """What a tenant of that tier has of it."""
    filled = founding.filled

    def sold(**terms: Any) -> Any:
        return filled(**{**terms, "tier": tier})

    with mock.patch.object(founding, "filled", sold):
        made = restore_into(backup, f"r{uuid4().hex[:12]}")
    try:
        assert made.tier == tier
        return sums(made, without=TRAIL | NOT_COPIED)
    finally:
        empty(made)


def round_trip(house: House, drawn: Drawn, met: Met) -> None:
    tenant, people = house.tenant, [house.alice.user_id, house.bob.user_id]
    try:
        with psycopg.connect(os.environ["DATABASE_SUPERUSER_URL"]) as database:
            Inventor(tenant, people, drawn, met).put(database)
        was = sums(tenant)
        copied = {name: found for name, found in was.items() if name not in TRAIL | NOT_COPIED}
        backup = take(tenant)
        for tier in TIERS:
            assert as_a_new_one(backup, tier) == copied, tier
        empty(tenant)
        restore(backup)
        assert sums(tenant) == was
    finally:
        empty(tenant)


@pytest.mark.parametrize("tier", TIERS)
def test_a_tenant_that_nobody_would_trade_as_comes_back(tier: str) -> None:
    house, met = build_house(tier), Met()
    empty(house.tenant)

    @settings(
        max_examples=EXAMPLES or 3,
        derandomize=not EXAMPLES,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(drawn=DRAWN)
    def trips(drawn: Drawn) -> None:
        round_trip(house, drawn, met)

    trips()
    assert met.missing() == set()
