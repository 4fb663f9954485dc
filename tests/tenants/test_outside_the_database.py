"""Caches, files and logs: keyed by the tenant's id, closed to everybody else."""

from __future__ import annotations

import logging
import pickle
from typing import Any

import pytest
from django.core.cache import cache, caches
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from config.logs import ContextFilter, JsonFormatter
from tenants import limits, valkey
from tenants.errors import NoTenantContext, OutsideTenantFiles
from tests.cast import House, build_tenant, job


def test_a_value_cached_for_one_tenant_is_missing_for_another(house: House) -> None:
    with job(house.tenant):
        cache.set("key", "mine")
        assert cache.get("key") == "mine"
    with job(house.mallory.tenant):
        assert cache.get("key") is None
        cache.set("key", "hers")
        cache.clear()
    with job(house.tenant):
        assert cache.get("key") == "mine"


def test_the_cache_outside_a_tenant_names_the_fault() -> None:
    for use in (lambda: cache.get("x"), lambda: cache.set("x", 1), lambda: cache.clear()):
        with pytest.raises(NoTenantContext):
            use()


def test_over_its_quota_a_tenant_loses_its_own_oldest_entries(house: House) -> None:
    quota = 8 * 1024 * 1024
    tenant = build_tenant("starter")
    other = build_tenant("starter")
    assert limits.of(tenant.id).cache_quota_bytes == quota
    with job(other):
        cache.set("stays", "x" * 1000)
    with job(tenant):
        for number in range(10):
            cache.set(f"mib{number}", "x" * 1024 * 1024)
        kept = [number for number in range(10) if cache.get(f"mib{number}") is not None]
    assert kept == [3, 4, 5, 6, 7, 8, 9]
    with job(other):
        assert cache.get("stays") == "x" * 1000


def test_what_is_deleted_no_longer_counts(house: House) -> None:
    with job(build_tenant("starter")):
        for number in range(30):
            cache.set("same", "x" * 1024 * 1024)
            cache.set(f"gone{number}", "x" * 1024 * 1024)
            cache.delete(f"gone{number}")
        assert cache.get("same") is not None
        assert cache.add("same", "other") is False
        assert cache.add("fresh", "new") is True
        cache.set("brief", "x", timeout=0)
        assert cache.get("brief") is None


def test_what_somebody_else_wrote_into_the_cache_is_never_run(house: House) -> None:
    for name in ("default", "shared"):
        with job(house.tenant):
            caches[name].set("planted", "mine")
            key = caches[name].make_and_validate_key("planted")
            valkey.client().set(key, pickle.dumps(Bomb()))
            assert caches[name].get("planted") is None


class Bomb:
    def __reduce__(self) -> tuple[Any, ...]:
        return pytest.fail, ("a pickle was read",)


def test_counters_work_inside_the_quota(house: House) -> None:
    with job(house.tenant):
        cache.set("n", 1)
        assert cache.incr("n") == 2
        cache.set_many({"a": 1, "b": 2})
        assert cache.get_many(["a", "b"]) == {"a": 1, "b": 2}
        cache.delete_many(["a"])
        assert cache.get("a") is None


def test_files_lie_in_the_tenants_own_folder(house: House) -> None:
    with job(house.tenant):
        name = default_storage.save("report.txt", ContentFile(b"mine"))
        assert str(house.tenant.id) in default_storage.path(name)
    with job(house.mallory.tenant):
        assert not default_storage.exists(name)


@pytest.mark.parametrize("name", ["../{other}/report.txt", "/etc/passwd", "a/../../x"])
def test_no_file_name_leads_out_of_the_folder(house: House, name: str) -> None:
    with job(house.mallory.tenant), pytest.raises(OutsideTenantFiles):
        default_storage.path(name.format(other=house.tenant.id))


def test_files_outside_a_tenant_name_the_fault() -> None:
    with pytest.raises(NoTenantContext):
        default_storage.path("x")


def test_log_lines_carry_the_tenants_id_and_no_name(house: House) -> None:
    record = logging.LogRecord("x", logging.INFO, "f", 1, "hello", None, None)
    with job(house.tenant, "night-shift"):
        ContextFilter().filter(record)
    line = JsonFormatter().format(record)
    assert str(house.tenant.id) in line
    assert "system:night-shift" in line
    assert house.tenant.slug not in line
