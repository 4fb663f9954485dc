"""Nobody orders a restore by SQL from inside a tenant: not a trader, and not for anybody else."""

from __future__ import annotations

import psycopg
import pytest

from backups import actions
from tenants.context import Actor, Scope, TenantContext
from tests.cast import House, Person, now
from tests.isolation.database import inside

_ORDER = """
INSERT INTO backups_restoration
    (id, tenant_id, backup_id, status, step, asked_by_id, asked_at, fault)
VALUES (gen_random_uuid(), %s, %s, 'asked', '', %s, now(), '')
"""


@pytest.mark.parametrize(
    ("scope", "asks_for"),
    [(Scope.USER, "alice"), (Scope.USER, "mallory"), (Scope.TENANT, "mallory")],
)
def test_an_order_by_sql_is_refused(house: House, scope: Scope, asks_for: str) -> None:
    whose: Person = getattr(house, asks_for)
    backup = actions.take(tenant=whose.tenant, reason="asked", by="system:test", now=now())
    where = TenantContext(house.tenant.id, Actor.user(house.alice.user_id), scope)
    with inside(where) as cursor, pytest.raises(psycopg.errors.InsufficientPrivilege):
        cursor.execute(_ORDER, [whose.tenant.id, backup.id, house.alice.user_id])


def test_whoever_may_see_the_whole_tenant_may(house: House) -> None:
    """What the others are refused is not refused for another reason."""
    backup = actions.take(tenant=house.tenant, reason="asked", by="system:test", now=now())
    where = TenantContext(house.tenant.id, Actor.user(house.olga.user_id), Scope.TENANT)
    with inside(where) as cursor:
        cursor.execute(_ORDER, [house.tenant.id, backup.id, house.olga.user_id])
        assert cursor.rowcount == 1
