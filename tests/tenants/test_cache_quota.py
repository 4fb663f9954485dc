"""A tenant's part of the cache: what lives counts, what has run out does not, whoever is at it."""

from __future__ import annotations

import random
import time
from concurrent.futures import ThreadPoolExecutor

from django.core.cache import cache
from django.db import connection

from tenants import cache as tenants_cache
from tenants import context, door, limits, valkey
from tenants.context import Actor, Scope, TenantContext
from tenants.models import Tenant
from tests.cast import build_tenant
from tests.tenants.plans import change, put_on_own_plan

KIB = 1024


def inside(tenant: Tenant) -> TenantContext:
    return TenantContext(tenant.id, Actor.system("test"), Scope.TENANT)


def living(tenant: Tenant) -> int:
    """Bytes of the entries that are there, by the entries themselves."""
    client = valkey.client()
    keys = list(client.scan_iter(f"tenant:{tenant.id}:1:*", count=1000))
    return sum(len(key) + client.strlen(key) for key in keys)


def with_quota(size: int) -> Tenant:
    tenant = build_tenant()
    put_on_own_plan(tenant, cache_quota_bytes=size)
    return tenant


def test_what_has_run_out_makes_room_and_what_lives_stays() -> None:
    tenant = with_quota(10 * KIB)
    with context.carried(inside(tenant)):
        cache.set("lasting", "x" * KIB)
        for number in range(8):
            cache.set(f"brief{number}", "x" * KIB, timeout=1)
        cache.set("longer", "x", timeout=1)
        cache.touch("longer", timeout=60)
        time.sleep(1.2)
        for number in range(8):
            cache.set(f"new{number}", "x" * KIB)
        assert cache.get("lasting") == "x" * KIB
        assert cache.get("longer") == "x"
        assert tenants_cache.held_bytes(tenant.id) == living(tenant) <= 10 * KIB


def test_the_books_are_right_however_many_write_and_delete() -> None:
    tenant = with_quota(20 * KIB)

    def work(seed: int) -> None:
        drawn = random.Random(seed)
        with context.carried(inside(tenant)):
            for _ in range(300):
                key = f"k{drawn.randrange(40)}"
                match drawn.randrange(5):
                    case 0:
                        cache.delete(key)
                    case 1:
                        cache.add(key, "x" * drawn.randrange(2_000))
                    case 2:
                        cache.delete_many([key, f"k{drawn.randrange(40)}"])
                    case _:
                        cache.set(key, "x" * drawn.randrange(2_000))
        connection.close()

    with ThreadPoolExecutor(4) as pool:
        for _ in pool.map(work, range(4)):
            pass
    held = tenants_cache.held_bytes(tenant.id)
    assert 0 < held == living(tenant) <= 20 * KIB
    with context.carried(inside(tenant)):
        cache.clear()
    assert tenants_cache.held_bytes(tenant.id) == living(tenant) == 0


def test_what_is_larger_than_the_quota_is_not_kept_and_nothing_stale_in_its_place() -> None:
    tenant = with_quota(2 * KIB)
    with context.carried(inside(tenant)):
        cache.set("key", "old")
        cache.set("key", "x" * 3 * KIB)
        assert cache.get("key") is None
    assert tenants_cache.held_bytes(tenant.id) == 0


def test_a_smaller_quota_holds_from_the_next_value_on() -> None:
    tenant = build_tenant()
    plan = put_on_own_plan(tenant, cache_quota_bytes=20 * KIB)
    with context.carried(inside(tenant)):
        for number in range(10):
            cache.set(f"k{number}", "x" * KIB)
    change(plan, cache_quota_bytes=4 * KIB)
    limits.forget(version=door.limits_version())  # as the door does at a request
    with context.carried(inside(tenant)):
        cache.set("new", "x" * KIB)
        assert cache.get("new") == "x" * KIB
    assert tenants_cache.held_bytes(tenant.id) == living(tenant) <= 4 * KIB
