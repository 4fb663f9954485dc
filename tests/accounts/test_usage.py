"""`usage/`: a tenant's own numbers, and what the door has counted of its requests."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from tenants import tally, valkey
from tenants.measuring import actions
from tests.accounts.doors import post, stepped_up
from tests.cast import House, job, now
from tests.tenants.plans import put_on_own_plan


def asked(house: House) -> Any:
    answer = house.vera.get("usage/")
    assert answer.status_code == 200, answer.content
    return answer.json()


def test_a_tenant_sees_its_limits_and_what_it_asks_and_has(house: House) -> None:
    put_on_own_plan(house.tenant, requests_per_minute=1_000, max_rows=7_000, max_bytes=None)
    house.alice.post("accounts/", {"name": "first"})
    house.alice.get("nothing-here/")
    house.mallory.get("accounts/")
    with job(house.tenant):
        cache.set("key", "x" * 100)
    found = asked(house)
    assert found["limits"] == {
        "requests_per_minute": 1_000,
        "concurrent_requests": found["limits"]["concurrent_requests"],
        "server_ms_per_second": found["limits"]["server_ms_per_second"],
        "statement_timeout_ms": 5_000 if house.tier == "starter" else 60_000,
        "cache_quota_bytes": (8 if house.tier == "starter" else 512) * 1024 * 1024,
        "max_rows": 7_000,
        "max_bytes": None,
    }
    day = found["last_day"]
    assert (day["admitted"], day["denied"], day["failed"], day["refused"]) == (3, 1, 0, 0)
    assert day["p95_ms"] in tally.BOUNDS
    assert found["concurrent_requests"] == 1  # this one
    assert 100 < found["cache_bytes"] < 300
    assert (found["rows"], found["bytes"], found["counted_at"]) == (None, None, None)
    actions.measure(tenant_id=house.tenant.id, now=now())
    counted = asked(house)
    assert counted["rows"] > 0
    assert counted["bytes"] > counted["rows"]


def test_requests_over_a_limit_are_told_apart(house: House) -> None:
    put_on_own_plan(house.tenant, requests_per_minute=4)
    statuses = [house.alice.get("accounts/").status_code for _ in range(6)]
    assert sorted(statuses) == [200] * 2 + [429] * 4
    put_on_own_plan(house.tenant, requests_per_minute=1_000)
    day = asked(house)["last_day"]
    assert (day["admitted"], day["refused"], day["crowded"]) == (3, 4, 0)


def test_a_request_takes_two_round_trips_to_valkey(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.alice.get("accounts/")  # the scripts are known from here on
    sent = []
    execute = valkey.client().execute_command

    def noted(*command: Any, **options: Any) -> Any:
        sent.append(command[0])
        return execute(*command, **options)

    monkeypatch.setattr(valkey.client(), "execute_command", noted)
    assert house.alice.get("accounts/").status_code == 200
    assert sent == ["EVALSHA", "EVALSHA"]


def test_a_key_of_one_account_sees_nothing_of_the_tenant(house: House) -> None:
    account = house.alice.post("accounts/", {"name": "first"}).json()["id"]
    asked_for = {"name": "bot", "scope": "read", "account": account}
    issued = post("api-keys/", asked_for, credential=stepped_up(house.alice))
    assert issued.status_code == 201, issued.json()
    headers = {"Authorization": f"Api-Key {issued.json()['key']}"}
    assert Client().get("/api/v1/usage/", headers=headers).status_code == 403
    assert Client().get("/api/v1/accounts/", headers=headers).status_code == 200


@pytest.mark.parametrize(
    ("took", "share", "found"),
    [
        ({}, 0.95, None),
        ({10: 1}, 0.95, 10),
        ({10: 95, 500: 5}, 0.95, 10),
        ({10: 94, 500: 6}, 0.95, 500),
        ({700: 1, 5: 1}, 0.5, 5),
    ],
)
def test_a_share_of_requests_is_within_a_bound(
    took: dict[int, int], share: float, found: int | None
) -> None:
    assert tally.Count(took=took).within(share) == found


@pytest.mark.parametrize(
    ("seconds", "field"),
    [
        (0.0, "took:1"),
        (0.001, "took:1"),
        (0.0011, "took:2"),
        (0.05, "took:50"),
        (9e9, "took:600000"),
    ],
)
def test_a_request_is_counted_under_the_least_bound(seconds: float, field: str) -> None:
    assert tally.took(seconds) == field
