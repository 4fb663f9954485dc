"""What a tenant asks is counted at the door, in the same breath, and told by the hour."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.test import Client

from tenants import admission, door, usage, valkey
from tenants.admission import Guest
from tenants.models import Plan, Tenant
from tenants.tally import Count
from tenants.usage import Period
from tests.cast import House, anywhere, build_tenant, now

NOON = datetime(2030, 5, 17, 12, 30, 20, tzinfo=UTC)


def asked(tenant: Tenant) -> tuple[int, int]:
    """What is counted for the last day: let in, and refused."""
    day = usage.of(tenant.id, now=now()).day
    return day.count.admitted, day.count.refused


def period(start: datetime, minutes: int, admitted: int, refused: int) -> Period:
    return Period(start, minutes, Count(admitted, refused))


def guest(tenant_id: UUID) -> Guest:
    return Guest(anywhere(), tenant_id, uuid4(), uuid4())


@pytest.fixture
def narrow() -> Tenant:
    """A tenant whose plan allows four requests a minute, and so two to one person."""
    plan = Plan.objects.get(code="starter")
    plan.pk, plan.name, plan.requests_per_minute = f"n{uuid4().hex[:8]}", "Narrow", 4
    plan.save(force_insert=True)
    tenant = build_tenant()
    Tenant.objects.filter(pk=tenant.pk).update(plan=plan)
    return tenant


def test_what_is_let_in_and_what_is_refused_are_counted_apart(narrow: Tenant) -> None:
    visitor = guest(narrow.id)
    for _ in range(2):
        admission.admit(visitor, is_data=True)
    for _ in range(3):
        with pytest.raises(admission.TooManyRequests):
            admission.admit(visitor, is_data=True)
    assert asked(narrow) == (2, 3)


def test_every_request_counts_once_for_its_own_tenant(house: House) -> None:
    house.alice.get("accounts/")
    house.bob.get("nothing-here/")
    house.vera.post("accounts/", {"name": "x"})
    slug = house.tenant.slug
    elsewhere = Client().get(f"/t/{slug}/api/v1/accounts/", headers=house.mallory.headers)
    assert elsewhere.status_code == 403
    assert asked(house.tenant) == (3, 0)
    assert asked(house.mallory.tenant) == (1, 0)


def test_strangers_at_the_tenants_address_are_not_its_use(house: House) -> None:
    client = Client(REMOTE_ADDR=anywhere(), raise_request_exception=False)
    path = f"/t/{house.tenant.slug}/api/v1/accounts/"
    assert client.get(path).status_code == 401
    assert client.get(path, headers={"Authorization": "Bearer a.b.c"}).status_code == 401
    assert asked(house.tenant) == (0, 0)


def test_who_is_only_looked_at_again_asks_nothing() -> None:
    tenant = build_tenant()
    admission.recheck(guest(tenant.id))
    assert asked(tenant) == (0, 0)


def test_a_locked_or_ended_request_is_neither_let_in_nor_short_of_room() -> None:
    tenant = build_tenant()
    visitor = guest(tenant.id)
    door.lock(tenant.id)
    try:
        with pytest.raises(admission.Locked):
            admission.admit(visitor, is_data=True)
    finally:
        door.unlock(tenant.id)
    assert visitor.session_id is not None
    admission.end([visitor.session_id])
    with pytest.raises(admission.SessionEnded):
        admission.admit(visitor, is_data=True)
    assert asked(tenant) == (0, 0)


def test_counting_costs_no_round_trip(monkeypatch: pytest.MonkeyPatch) -> None:
    tenant = build_tenant()
    admission.admit(guest(tenant.id), is_data=True)  # the script is known from here on
    sent = []
    execute = valkey.client().execute_command

    def noted(*command: Any, **options: Any) -> Any:
        sent.append(command[0])
        return execute(*command, **options)

    monkeypatch.setattr(valkey.client(), "execute_command", noted)
    admission.admit(guest(tenant.id), is_data=True)
    assert sent == ["EVALSHA"]
    monkeypatch.undo()
    assert asked(tenant) == (2, 0)


def test_a_count_is_kept_for_eight_days_from_its_first_request() -> None:
    tenant = build_tenant()
    for _ in range(3):
        admission.admit(guest(tenant.id), is_data=True)
    keys = valkey.client().keys(f"usage:tenant:{tenant.id}:*")
    assert keys  # two, if an hour has just begun
    for key in keys:
        assert 8 * 86_400 - 60 < valkey.client().ttl(key) <= 8 * 86_400


@pytest.fixture
def counted() -> Callable[[Tenant, datetime, int, int], None]:
    """Writes a count as the door does, of another hour."""

    def write(tenant: Tenant, at: datetime, admitted: int, refused: int) -> None:
        key = f"usage:tenant:{tenant.id}:{int(at.timestamp()) // 3600}"
        valkey.client().hset(key, mapping={"admitted": admitted, "refused": refused})
        valkey.client().expire(key, 600)

    return write


def test_a_day_is_24_hours_of_the_clock_oldest_first(
    counted: Callable[[Tenant, datetime, int, int], None],
) -> None:
    tenant = build_tenant()
    counted(tenant, NOON, 62, 3)
    counted(tenant, NOON - timedelta(hours=23), 7, 1)
    counted(tenant, NOON - timedelta(hours=24), 1_000, 1_000)
    counted(tenant, NOON + timedelta(hours=1), 1_000, 1_000)
    found = usage.of(tenant.id, now=NOON)
    assert len(found.hours) == 24
    assert found.hours[0] == period(datetime(2030, 5, 16, 13, tzinfo=UTC), 60, 7, 1)
    # Half past twelve, in its thirty-first minute: 62 in 31 minutes are two a minute.
    assert found.this_hour == period(datetime(2030, 5, 17, 12, tzinfo=UTC), 31, 62, 3)
    assert found.this_hour.a_minute == 2.0
    assert (found.day.start, found.day.minutes) == (found.hours[0].start, 23 * 60 + 31)
    assert (found.day.count.admitted, found.day.count.refused) == (69, 4)


def test_each_tenant_is_told_its_own(
    counted: Callable[[Tenant, datetime, int, int], None],
) -> None:
    first, second, idle = (build_tenant() for _ in range(3))
    counted(first, NOON, 5, 0)
    counted(second, NOON, 0, 9)
    found = usage.of_each([second.id, idle.id, first.id], now=NOON)
    assert [one.tenant_id for one in found] == [second.id, idle.id, first.id]
    assert [(one.day.count.admitted, one.day.count.refused) for one in found] == [
        (0, 9),
        (0, 0),
        (5, 0),
    ]
    assert usage.of_each([], now=NOON) == []
