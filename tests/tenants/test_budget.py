"""Server time: what a tenant has used up comes back by the clock, and is nobody else's business."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import pytest
import redis
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection
from django.http import HttpRequest, HttpResponse
from django.test import Client, override_settings
from django.urls import path

from config.observing import interpreter, work
from config.observing.work import Work
from tenants import admission, budget, slots, usage, valkey
from tenants.models import Plan, Tenant
from tenants.slots import Slot
from tests.cast import House, build_tenant, now
from tests.tenants.guests import enter, guest
from tests.tenants.plans import change, put_on_own_plan

BUSY = """
    WITH RECURSIVE n AS (
      SELECT 1 UNION ALL
      SELECT 1 FROM n WHERE clock_timestamp() < statement_timestamp() + interval '300 ms'
    ) SELECT count(*) FROM n
"""
PACE = 100  # milliseconds a second
FULL, MOST_OWED = budget.HELD * PACE, -budget.OWED * PACE


def computing(request: HttpRequest) -> HttpResponse:
    end = time.thread_time() + 0.06
    while time.thread_time() < end:
        pass
    return HttpResponse()


def asking(request: HttpRequest) -> HttpResponse:
    with connection.cursor() as cursor:
        cursor.execute(BUSY)
    return HttpResponse()


def resting(request: HttpRequest) -> HttpResponse:
    time.sleep(1.0)
    return HttpResponse()


urlpatterns = [path("computing", computing), path("asking", asking), path("resting", resting)]


@pytest.fixture
def narrow() -> Tenant:
    tenant = build_tenant()
    put_on_own_plan(tenant, server_ms_per_second=PACE)
    return tenant


@pytest.fixture
def routes() -> Iterator[None]:
    with override_settings(ROOT_URLCONF=__name__):
        yield


def left(tenant: Tenant) -> float:
    """What was left when it was last looked at."""
    return float(valkey.client().hget(budget.key_of(tenant.id), "left") or 0)


def put(tenant: Tenant, millis: int, *, ago: float = 0.0, each: int = 0) -> None:
    """A bucket with so much left, so many seconds ago."""
    seconds, micros = valkey.client().time()
    at = seconds * 1000 + micros // 1000 - round(ago * 1000)
    held = {"left": millis, "at": at, "each": each}
    valkey.client().hset(budget.key_of(tenant.id), mapping=held)


def use(slot: Slot, seconds: float) -> None:
    """End a request that has used so much, besides what this test's own thread has."""
    slot._cpu, slot._work = time.thread_time(), Work(server_seconds=seconds)
    slot.leave(200)


def test_who_owes_server_time_is_refused_until_it_is_paid(narrow: Tenant) -> None:
    put(narrow, -250)
    with pytest.raises(admission.TooMuchTime) as refused:
        enter(narrow)
    assert refused.value.headers["Retry-After"] == "3"  # 251 ms, at 100 a second
    assert refused.value.headers["RateLimit-Remaining"] != "0"
    assert 2.0 < refused.value.seconds <= 2.51
    put(narrow, -250, ago=2.6)
    assert enter(narrow)


def test_an_empty_bucket_is_full_again_after_five_seconds_and_never_fuller(narrow: Tenant) -> None:
    for ago in (5, 500):
        put(narrow, 0, ago=ago)
        slot = enter(narrow)
        assert left(narrow) + slot.reserved == FULL
        use(slot, 0.0)


def test_what_a_request_has_used_is_taken_at_its_end(narrow: Tenant) -> None:
    slot = enter(narrow)
    assert (slot.pace, slot.reserved, left(narrow)) == (PACE, 10, FULL - 10)
    use(slot, 0.2)
    assert FULL - 205 < left(narrow) < FULL - 150  # it gains 100 a second


def test_a_long_statement_is_owed_for_half_a_minute_at_most(narrow: Tenant) -> None:
    use(enter(narrow), 100.0)
    assert left(narrow) == MOST_OWED
    with pytest.raises(admission.TooMuchTime) as refused:
        enter(narrow)
    assert 29 <= int(refused.value.headers["Retry-After"]) <= 31
    put(narrow, 50 * MOST_OWED)  # of a plan that gave more
    with pytest.raises(admission.TooMuchTime) as refused:
        enter(narrow)
    assert int(refused.value.headers["Retry-After"]) <= 31


def test_so_much_is_laid_by_for_each_as_requests_have_cost_lately(narrow: Tenant) -> None:
    """A full bucket lets in those that it has time for, and not all that may be under way."""
    put(narrow, FULL, each=120)

    def ask(_number: int) -> Slot | None:
        try:
            return enter(narrow)
        except admission.TooMuchTime:
            return None
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        held = [slot for slot in pool.map(ask, range(40)) if slot]
    assert 5 <= len(held) <= 7
    assert {slot.reserved for slot in held} == {120}
    for slot in held:
        use(slot, 0.01)
    assert left(narrow) > FULL - 10 * len(held) - 40


def test_what_was_laid_by_never_comes_back_as_more(narrow: Tenant) -> None:
    """However dear a request looks, there is no more to give back than was taken."""
    put(narrow, 1, each=1_000_000)
    slot = enter(narrow)
    assert slot.reserved == -MOST_OWED
    use(slot, 0.0)
    assert left(narrow) < 100


def test_what_requests_cost_is_learned_and_forgotten(narrow: Tenant) -> None:
    def each() -> float:
        return float(valkey.client().hget(budget.key_of(narrow.id), "each") or 0)

    use(enter(narrow), 0.1)
    assert 100 <= each() < 110
    put(narrow, FULL, each=100)
    for _ in range(10):
        use(enter(narrow), 0.001)
    assert each() < 20


def test_keys_leave_server_time_to_people(narrow: Tenant) -> None:
    put(narrow, budget.kept_from_keys(PACE) - 20)
    with pytest.raises(admission.TooMuchTime):
        enter(narrow, is_key=True)
    assert enter(narrow)
    put(narrow, budget.kept_from_keys(PACE) + 20)
    assert enter(narrow, is_key=True)


def test_a_neighbour_is_let_in_while_a_tenant_owes(house: House) -> None:
    put_on_own_plan(house.tenant, server_ms_per_second=PACE)
    put(house.tenant, -10_000)
    for person in (house.alice, house.olga):
        refused = person.get("accounts/")
        assert (refused.status_code, refused.json()["code"]) == (429, "too_much_time")
        assert 1 <= int(refused["Retry-After"]) <= 31
    assert house.mallory.get("accounts/").status_code == 200
    put(house.tenant, 1)
    assert house.alice.get("accounts/").status_code == 200


def test_who_is_refused_takes_no_time_no_slot_and_from_no_bucket(narrow: Tenant) -> None:
    put(narrow, -200)
    rate = f"rate:tenant:{narrow.id}"
    with pytest.raises(admission.TooMuchTime):
        enter(narrow)
    assert left(narrow) == -200
    assert valkey.client().hget(rate, "left") is None
    assert slots.taken(narrow.id) == 0


def test_refusals_are_counted_by_their_own_name(narrow: Tenant) -> None:
    put(narrow, -5_000)
    for _ in range(2):
        with pytest.raises(admission.TooMuchTime):
            enter(narrow)
    count = usage.of(narrow.id, now=now()).day.count
    assert (count.overdrawn, count.refused, count.crowded, count.admitted) == (2, 0, 0, 0)


def test_who_holds_no_request_needs_no_time(narrow: Tenant) -> None:
    """As sockets that are open: so somebody's may stay."""
    put(narrow, -5_000)
    admission.admit(guest(narrow), is_data=True)
    admission.recheck(guest(narrow))
    assert left(narrow) == -5_000


def get(house: House, where: str) -> Any:
    return Client().get(f"/{where}", headers=house.alice.headers)


@pytest.mark.usefixtures("routes")
@pytest.mark.parametrize(
    ("where", "least", "most"),
    [("computing", 60, 10_000), ("asking", 300, 10_000), ("resting", 0, 999)],
)
def test_processor_time_and_statements_are_used_and_waiting_is_not(
    house: House, where: str, least: int, most: int
) -> None:
    assert least <= used_by(house, where) <= most


def used_by(house: House, where: str) -> int:
    """Milliseconds that a request has told to have used."""
    told: list[int] = []
    telling = slots.Slot._time

    def noted(slot: Slot) -> tuple[int, int, int]:
        told.append(telling(slot)[2])
        return telling(slot)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(slots.Slot, "_time", noted)
        assert get(house, where).status_code == 200
    (used,) = told
    return used


def test_the_wait_for_the_interpreter_is_not_charged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interpreter, "delay", lambda: 0.03)
    with work.doing(Work()) as doing:
        for seconds in (0.1, 0.01):
            work.note_statement(seconds)
        assert doing.server_seconds == pytest.approx(0.07)
        doing.tell()
        assert doing.seconds == 0
        assert doing.server_seconds == pytest.approx(0.07)


def test_a_plan_that_gives_more_holds_from_the_next_request_on(narrow: Tenant) -> None:
    plan = Plan.objects.get(tenants=narrow)
    put(narrow, -200)
    with pytest.raises(admission.TooMuchTime):
        enter(narrow)
    change(plan, server_ms_per_second=100_000)
    time.sleep(0.01)  # a second's worth flows in ten milliseconds
    assert enter(narrow).pace == 100_000


def test_no_plan_gives_no_time() -> None:
    plan = Plan(code=f"n{uuid4().hex[:8]}", name="None", server_ms_per_second=0)
    plan.requests_per_minute = plan.concurrent_requests = plan.statement_timeout_ms = 1
    plan.cache_quota_bytes = plan.backups_daily = 1
    with pytest.raises(ValidationError, match="plan_gives_server_time"):
        plan.full_clean()
    with pytest.raises(IntegrityError, match="plan_gives_server_time"):
        plan.save(force_insert=True)


def test_without_valkey_what_was_laid_by_is_what_was_used(
    narrow: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    slot = enter(narrow)
    away: Callable[[], Any] = lambda: redis.ConnectionPool(host="127.0.0.1", port=1)  # noqa: E731
    with monkeypatch.context() as patched:
        patched.setattr(valkey.client(), "connection_pool", away())
        use(slot, 0.4)
    assert left(narrow) == FULL - slot.reserved
