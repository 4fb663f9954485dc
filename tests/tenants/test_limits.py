"""Limits that change: for every process at once, and for nobody else's tenants."""

from __future__ import annotations

import pytest
from django.db import connection

from tenants import admission, door, limits, valkey
from tenants.admission import Guest
from tenants.lifecycle import plans
from tests import web
from tests.cast import House, anywhere, build_tenant
from tests.tenants.plans import change, put_on_own_plan
from tests.web import Server


def limit_of(server: Server, house: House) -> str:
    """What another process tells of a request's limit."""
    answer = web.ask("GET", f"{server.url}/api/v1/accounts/", headers=house.alice.headers)
    assert answer.status_code == 200, answer.text
    return answer.headers["RateLimit-Limit"]


def test_a_running_server_goes_by_a_changed_plan_from_the_next_request_on(
    server: Server, house: House
) -> None:
    plan = put_on_own_plan(house.tenant, requests_per_minute=40)
    assert limit_of(server, house) == "20"
    change(plan, requests_per_minute=60)
    assert limit_of(server, house) == "30"
    change(plan, concurrent_requests=1)
    held = admission.Slot(house.tenant.id)
    admission.admit(Guest.of(_caller(house), address=anywhere()), is_data=True, slot=held)
    url = f"{server.url}/api/v1/accounts/"
    refused = web.ask("GET", url, headers=house.alice.headers)
    assert (refused.status_code, refused.json()["code"]) == (429, "too_many_at_once")
    held.leave(200)
    assert web.ask("GET", url, headers=house.alice.headers).status_code == 200


def _caller(house: House) -> admission.Identity:
    return admission.identity.verify(house.alice.headers["Authorization"], address=anywhere())


def test_a_statement_may_take_as_long_as_the_plan_says_now(house: House) -> None:
    plan = put_on_own_plan(house.tenant, statement_timeout_ms=4_321)
    for timeout in ("4321ms", "1234ms"):
        with house.alice.inside(), connection.cursor() as cursor:
            cursor.execute("SHOW statement_timeout")
            assert cursor.fetchone() == (timeout,)
        change(plan, statement_timeout_ms=1_234)


def test_what_is_read_while_limits_change_is_not_remembered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Somebody has read the old plan, and keeps it only after the others have heard of the new."""
    tenant = build_tenant()
    plan = put_on_own_plan(tenant, concurrent_requests=5)
    read = limits._read

    def late(tenant_id: object, version: str) -> limits.Limits:
        found = read(tenant.id, version)
        change(plan, concurrent_requests=6)
        limits.forget(version=door.limits_version())
        return found

    limits._known.clear()
    monkeypatch.setattr(limits, "_read", late)
    assert limits.of(tenant.id).concurrent_requests == 5
    monkeypatch.undo()
    assert limits.of(tenant.id).concurrent_requests == 6


def test_an_emptied_valkey_makes_limits_be_read_again() -> None:
    tenant = build_tenant()
    visitor = Guest(anywhere(), tenant.id, tenant.id, tenant.id)
    admission.admit(visitor, is_data=True)
    before = limits.of(tenant.id)
    valkey.client().delete("limits:version")
    admission.admit(visitor, is_data=True)
    assert limits.of(tenant.id) is not before
    assert limits.of(tenant.id).version == "-"


def test_without_valkey_a_plan_is_changed_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    tenant = build_tenant()
    plan = put_on_own_plan(tenant, concurrent_requests=5)

    def away() -> None:
        raise valkey.ValkeyAway

    monkeypatch.setattr(door, "limits_have_changed", away)
    plan.concurrent_requests = 7
    plans.change(plan=plan, changed=["concurrent_requests"], by="staff:test")
    limits._known.clear()  # half a minute later
    assert limits.of(tenant.id).concurrent_requests == 7
