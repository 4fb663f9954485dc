"""A tenant that has traded, and what tests of moving ask of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

from tenants.models import Tenant, TenantMove
from tenants.moving import actions as moving
from tenants.moving import carrying, phases
from tests.cast import House, Person, now
from tests.isolation.database import connected
from tests.market import Market
from tests.scenarios.test_first_trade import open_account, order

PLANS = {"starter": "enterprise", "enterprise": "pro"}  # where a tenant of the tier goes
BACK = {"starter": "starter", "enterprise": "enterprise"}


class Broken(Exception):
    """What a test breaks a move off with."""


def trade(person: Person, market: Market, *, orders: int = 3) -> str:
    """An account with filled orders, and one that waits; gives the account."""
    account = open_account(person)
    for _ in range(orders):
        assert person.post("orders/", order(account, market)).status_code == 201
    market.feed_bar(open="100", high="101", low="99", close="100")
    waits = order(account, market, type="limit", limit_price="50")
    assert person.post("orders/", waits).status_code == 201
    return account


def move(house: House, plan: str) -> TenantMove:
    said: list[str] = []
    return moving.move(
        tenant=fresh(house), plan=plan, by="system:test", now=now(), report=said.append
    )


def give_up(house: House) -> TenantMove:
    said: list[str] = []
    return moving.give_up(tenant=fresh(house), by="system:test", now=now(), report=said.append)


def fresh(house: House) -> Tenant:
    return Tenant.objects.get(pk=house.tenant.pk)


def home(house: House) -> str:
    return fresh(house).live_schema


def rows(house: House, schema: str) -> dict[str, list[Any]]:
    """All that the tenant has in a schema, by table, in the order of ids; by the superuser."""
    found = {}
    with connected("DATABASE_SUPERUSER_URL") as database:
        for table in carrying.tables():
            name = f'"{schema}"."{table.name}"'
            query = f"SELECT to_jsonb(t) FROM {name} t WHERE tenant_id = %s ORDER BY id"
            found[table.name] = database.execute(query.encode(), [house.tenant.id]).fetchall()
    return found


def has_schema(house: House) -> bool:
    with connected("DATABASE_SUPERUSER_URL") as database:
        query = "SELECT to_regnamespace(%s) IS NOT NULL"
        return bool(database.execute(query, [house.tenant.schema_name]).fetchone()[0])


def notes(house: House) -> int:
    with connected("DATABASE_SUPERUSER_URL") as database:
        query = "SELECT count(*) FROM bulkhead.changed_row WHERE tenant_id = %s"
        return int(database.execute(query, [house.tenant.id]).fetchone()[0])


def away(house: House, schema: str) -> bool:
    """That nothing of the tenant is left in a schema."""
    if schema != "public":
        return not has_schema(house)
    return not any(rows(house, schema).values())


@contextmanager
def before(phase: str, act: Any) -> Iterator[None]:
    """With something that happens before a phase begins."""
    steps = tuple(
        (done, _after(act, step) if done == phase else step) for done, step in phases.STEPS
    )
    with mock.patch.object(phases, "STEPS", steps):
        yield


def _after(act: Any, step: Any) -> Any:
    def both(going: Any) -> None:
        act()
        step(going)

    return both
