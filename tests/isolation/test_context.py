"""The choke point under threads, tasks, errors and broken connections."""

from __future__ import annotations

import asyncio
import random
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID, uuid4

import pytest
from asgiref.sync import sync_to_async
from django.db import DatabaseError, IntegrityError, OperationalError, connection, transaction
from django.db.models import Exists, Sum
from django_tenants.utils import schema_context, tenant_context

from tenants import context
from tenants.context import TenantContext
from tenants.errors import NoTenantContext, TenantAlreadyEntered
from tenants.models import Plan
from tests.isolation.database import as_tenant, as_user, connected
from tests.isolation.world import World
from trading.models import Account, Order


def seen() -> set[UUID]:
    """The tenants whose orders the current context shows; with a raw look besides the ORM's."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT DISTINCT tenant_id FROM trading_order")
        raw = {row[0] for row in cursor.fetchall()}
    assert raw == set(Order.objects.values_list("tenant_id", flat=True))
    return raw


def look(where: TenantContext) -> bool:
    with context.enter(where):
        return seen() == {where.tenant_id}


def look_alone(where: TenantContext) -> bool:
    """In a thread that ends: its connection goes back to the pool."""
    try:
        return look(where)
    finally:
        connection.close()


OPERATIONS = {
    "count": lambda: Order.objects.count(),
    "list": lambda: list(Order.objects.all()),
    "exists": lambda: Order.objects.exists(),
    "update": lambda: Order.objects.update(status="filled"),
    "delete": lambda: Order.objects.all().delete(),
    "create": lambda: Order.objects.create(user_id=uuid4()),
    "bulk_create": lambda: Order.objects.bulk_create([Order(), Order()]),
    "aggregate": lambda: Order.objects.aggregate(Sum("fees")),
    "join": lambda: list(Order.objects.filter(account__name="x").values("id")),
    "first": lambda: Order.objects.first(),
    "iterator": lambda: list(Order.objects.iterator()),
    "save": lambda: Account(name="x", user_id=uuid4()).save(),
    "get": lambda: Order.objects.get(pk=uuid4()),
    "union": lambda: list(Order.objects.union(Order.objects.all())),
    "in_bulk": lambda: Order.objects.in_bulk([uuid4()]),
    "subquery": lambda: list(Plan.objects.filter(code__in=Order.objects.values("status"))),
    "exists_in": lambda: list(Plan.objects.filter(Exists(Order.objects.all()))),
    "explain": lambda: Order.objects.explain(),
    "related": lambda: list(Account(id=uuid4()).orders.all()),
}


@pytest.mark.parametrize("name", sorted(OPERATIONS))
def test_the_orm_outside_a_tenant_names_the_fault(name: str) -> None:
    with pytest.raises(NoTenantContext):
        OPERATIONS[name]()


def test_a_lazy_queryset_evaluated_after_its_tenant_raises(world: World) -> None:
    with context.enter(as_tenant(world.traders[0])):
        lazy = Order.objects.all()
    with pytest.raises(NoTenantContext):
        list(lazy)


def test_another_tenant_inside_a_tenant_is_refused(world: World) -> None:
    with context.enter(as_tenant(world.traders[0])):
        with (
            pytest.raises(TenantAlreadyEntered),
            context.enter(as_tenant(world.traders[2])),
        ):
            pass
        assert seen() == {world.traders[0].person.tenant.id}


def test_another_scope_of_the_same_tenant_is_refused(world: World) -> None:
    """Otherwise a user's request could widen itself."""
    trader = world.traders[0]
    with (
        context.enter(as_user(trader)),
        pytest.raises(TenantAlreadyEntered),
        context.enter(as_tenant(trader)),
    ):
        pass


def test_the_same_context_may_be_entered_again(world: World) -> None:
    where = as_tenant(world.traders[0])
    with context.enter(where), context.enter(where):
        assert seen() == {where.tenant_id}


def test_a_transaction_without_a_tenant_cannot_become_one_with(world: World) -> None:
    with (
        transaction.atomic(),
        pytest.raises(TenantAlreadyEntered),
        context.enter(as_tenant(world.traders[0])),
    ):
        pass


def test_after_commit_the_tenant_is_no_longer_open(world: World) -> None:
    failures: list[type[BaseException]] = []

    def peek() -> None:
        try:
            Order.objects.count()
        except NoTenantContext as fault:
            failures.append(type(fault))

    with context.enter(as_tenant(world.traders[0])):
        transaction.on_commit(peek)
    assert failures == [NoTenantContext]


def test_threads_with_random_tenants_see_only_their_own(world: World) -> None:
    contexts = [as_tenant(trader) for trader in world.traders]
    dice = random.Random(7)
    work = [dice.choice(contexts) for _ in range(400)]
    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(look_alone, work))


async def test_tasks_with_random_tenants_see_only_their_own(world: World) -> None:
    contexts = [as_tenant(trader) for trader in world.traders]
    dice = random.Random(11)

    async def one(where: TenantContext) -> bool:
        await asyncio.sleep(dice.random() / 100)
        with context.carried(where):
            await asyncio.sleep(dice.random() / 100)
            named = context.current()
        inside = await sync_to_async(look_alone, thread_sensitive=False)(where)
        return inside and named == where and context.current() is None

    assert all(await asyncio.gather(*(one(dice.choice(contexts)) for _ in range(150))))


def test_a_failed_statement_leaves_no_tenant_behind(world: World) -> None:
    for trader in world.traders:
        with (
            pytest.raises(DatabaseError),
            context.enter(as_tenant(trader)),
            connection.cursor() as cursor,
        ):
            cursor.execute("SELECT 1 / 0")
        assert look(as_tenant(world.traders[0]))


def test_a_violation_at_commit_leaves_no_tenant_behind(world: World) -> None:
    mine, theirs = world.traders[0], world.traders[2]
    with pytest.raises(IntegrityError), context.enter(as_tenant(mine)):
        Order.objects.filter(pk=mine.ids["Order"]).update(account_id=theirs.ids["Account"])
    assert look(as_tenant(theirs))
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('app.current_tenant_id', true)")
        assert cursor.fetchone()[0] in (None, "")


def test_a_killed_backend_costs_one_error_and_no_leak(world: World) -> None:
    where = as_tenant(world.traders[0])
    with pytest.raises(OperationalError), context.enter(where):
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            pid = cursor.fetchone()[0]
        _kill(pid)
        seen()
    connection.close()
    assert look(as_tenant(world.traders[2]))


def test_a_backend_killed_while_idle_in_the_pool_costs_nothing(world: World) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        pid = cursor.fetchone()[0]
    connection.close()
    _kill(pid)
    assert look(as_tenant(world.traders[0]))


def test_the_search_path_ends_with_the_transaction(world: World) -> None:
    dedicated = next(t for t in world.traders if t.person.tenant.tier == "enterprise")
    with context.enter(as_tenant(dedicated)), connection.cursor() as cursor:
        cursor.execute("SHOW search_path")
        assert cursor.fetchone()[0].startswith(dedicated.person.tenant.schema_name)
        cursor.execute("SHOW statement_timeout")
        assert cursor.fetchone() == ("1min",)
    with connection.cursor() as cursor:
        cursor.execute("SHOW search_path")
        assert cursor.fetchone() == ("public, pg_temp",)


def test_django_tenants_own_calls_go_through_the_same_door(world: World) -> None:
    for trader in world.traders:
        tenant = trader.person.tenant
        with tenant_context(tenant), transaction.atomic():
            assert seen() == {tenant.id}
        with schema_context(tenant.schema_name), transaction.atomic():
            assert seen() == {tenant.id}
    with schema_context("public"), pytest.raises(NoTenantContext):
        Order.objects.count()


def test_a_named_cursor_reads_inside_the_tenant_only(world: World) -> None:
    where = as_tenant(world.traders[0])
    with context.enter(where):
        found = {order.tenant_id for order in Order.objects.iterator(chunk_size=1)}
        assert found == {where.tenant_id}


def _kill(pid: int) -> None:
    """End a backend, and wait until it is gone (5 s at most)."""
    with connected("DATABASE_SUPERUSER_URL") as superuser:
        done = superuser.execute("SELECT pg_terminate_backend(%s, 5000)", [pid]).fetchone()
    assert done == (True,)
