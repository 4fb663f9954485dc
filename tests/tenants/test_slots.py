"""Requests at a time: never more than the plan says, none lost, and nobody else's business."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from pathlib import Path
from threading import Event
from typing import Any
from uuid import UUID

import pytest
import redis
from django.db import connection
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.test import Client, override_settings
from django.urls import path

from tenants import admission, connections, door, slots, valkey
from tenants.models import Tenant
from tenants.slots import Slot
from tests.cast import House, build_tenant
from tests.tenants.guests import enter, guest
from tests.tenants.plans import put_on_own_plan

ROOT = Path(__file__).resolve().parents[2]
AT_ONCE = 3
TRIES = 9
_open = Event()


def waiting(request: HttpRequest) -> HttpResponse:
    assert _open.wait(30)
    return HttpResponse()


def stream(request: HttpRequest) -> StreamingHttpResponse:
    return StreamingHttpResponse(iter([b"one", b"two"]))


def crash(request: HttpRequest) -> HttpResponse:
    raise RuntimeError("halfway")


urlpatterns = [path("waiting", waiting), path("stream", stream), path("crash", crash)]


@pytest.fixture
def narrow() -> Tenant:
    tenant = build_tenant()
    put_on_own_plan(tenant, concurrent_requests=AT_ONCE)
    return tenant


@pytest.fixture
def routes() -> Iterator[None]:
    _open.clear()
    with override_settings(ROOT_URLCONF=__name__):
        yield
        _open.set()


def get(headers: dict[str, str], where: str) -> Any:
    client = Client(raise_request_exception=False)
    try:
        return client.get(f"/{where}", headers=headers)
    finally:
        connection.close()


def left_of(tenant: Tenant) -> float | None:
    kept = valkey.client().hget(f"rate:tenant:{tenant.id}", "left")
    return None if kept is None else float(kept)


def done(futures: list[Future[Any]], number: int) -> list[Any]:
    """The results of so many of them, while the others wait."""
    pending = set(futures)
    while len(futures) - len(pending) < number:
        finished, pending = wait(pending, timeout=30, return_when=FIRST_COMPLETED)
        assert finished, "nobody is answered"
    return [future.result() for future in futures if future.done()]


@pytest.mark.usefixtures("routes")
def test_no_more_of_a_tenants_requests_run_than_its_plan_allows(house: House) -> None:
    put_on_own_plan(house.tenant, concurrent_requests=AT_ONCE)
    alice, mallory = house.alice.headers, house.mallory.headers
    with ThreadPoolExecutor(TRIES) as pool:
        asked = [pool.submit(get, alice, "waiting") for _ in range(TRIES)]
        refused = done(asked, TRIES - AT_ONCE)
        assert slots.taken(house.tenant.id) == AT_ONCE
        _open.set()
        assert get(mallory, "waiting").status_code == 200
        answers = [one.result() for one in asked]
    for answer in refused:
        assert (answer.status_code, answer.json()["code"]) == (429, "too_many_at_once")
        assert answer["Retry-After"] == "1"
        assert "RateLimit-Remaining" in answer
    assert sorted(answer.status_code for answer in answers) == [200] * 3 + [429] * 6
    assert slots.taken(house.tenant.id) == 0
    assert get(alice, "waiting").status_code == 200


@pytest.mark.usefixtures("routes")
def test_a_neighbour_comes_in_while_a_tenant_is_crowded(house: House) -> None:
    put_on_own_plan(house.tenant, concurrent_requests=1)
    held = enter(house.tenant)
    assert get(house.alice.headers, "stream").status_code == 429
    assert get(house.mallory.headers, "stream").status_code == 200
    held.leave(200)
    assert get(house.alice.headers, "stream").status_code == 200


def test_so_many_at_once_take_so_many_slots(narrow: Tenant) -> None:
    def ask(_number: int) -> Slot | None:
        try:
            return enter(narrow)
        except admission.TooManyAtOnce:
            return None
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        held = [slot for slot in pool.map(ask, range(60)) if slot]
    assert len(held) == AT_ONCE
    assert slots.taken(narrow.id) == AT_ONCE


def test_who_is_refused_takes_neither_a_slot_nor_from_a_bucket(narrow: Tenant) -> None:
    held = [enter(narrow) for _ in range(AT_ONCE)]
    before = left_of(narrow)
    with pytest.raises(admission.TooManyAtOnce):
        enter(narrow)
    assert left_of(narrow) == before
    held.pop().leave(200)
    valkey.client().hset(f"rate:tenant:{narrow.id}", "left", -10_000_000)
    with pytest.raises(admission.TooManyRequests):
        enter(narrow)
    door.lock(narrow.id)
    try:
        with pytest.raises(admission.Locked):
            enter(narrow)
    finally:
        door.unlock(narrow.id)
    assert slots.taken(narrow.id) == AT_ONCE - 1


def test_who_holds_no_request_takes_no_slot(narrow: Tenant) -> None:
    """As sockets that are open, which have a number of their own."""
    for _ in range(AT_ONCE + 1):
        admission.admit(guest(narrow), is_data=True)
    assert slots.taken(narrow.id) == 0


def test_keys_leave_a_slot_to_people() -> None:
    tenant = build_tenant()
    put_on_own_plan(tenant, concurrent_requests=8)
    held = [enter(tenant, is_key=True) for _ in range(7)]
    with pytest.raises(admission.TooManyAtOnce):
        enter(tenant, is_key=True)
    held.append(enter(tenant))
    assert slots.taken(tenant.id) == len(held) == 8


@pytest.mark.usefixtures("routes")
@pytest.mark.parametrize(("where", "status"), [("stream", 200), ("crash", 500), ("nowhere", 404)])
def test_however_a_request_ends_its_slot_is_free(house: House, where: str, status: int) -> None:
    answer = get(house.alice.headers, where)
    assert answer.status_code == status
    if answer.streaming:
        b"".join(answer.streaming_content)
    assert slots.taken(house.tenant.id) == 0


@pytest.mark.usefixtures("routes")
def test_a_stream_holds_its_slot_to_its_end(house: House) -> None:
    put_on_own_plan(house.tenant, concurrent_requests=1)
    streaming = get(house.alice.headers, "stream")
    content = iter(streaming.streaming_content)
    assert next(content) == b"one"
    assert slots.taken(house.tenant.id) == 1
    assert get(house.bob.headers, "stream").status_code == 429
    assert list(content) == [b"two"]
    assert slots.taken(house.tenant.id) == 0


@pytest.mark.usefixtures("routes")
def test_a_stream_that_is_dropped_is_renewed_no_more(house: House) -> None:
    streaming = get(house.alice.headers, "stream")
    mine = [slot for slot in slots._held.values() if slot.tenant_id == house.tenant.id]
    assert len(mine) == 1
    del mine, streaming
    gc.collect()
    assert not [slot for slot in slots._held.values() if slot.tenant_id == house.tenant.id]


_HOLDS = """
import sys, time, uuid
import django
django.setup()
from tenants import admission, door
from tenants.slots import Slot
door._LEASE = 4_000
tenant_id, number = uuid.UUID(sys.argv[1]), int(sys.argv[2])
held = [Slot(tenant_id) for _ in range(number)]
for slot in held:
    guest = admission.Guest("", tenant_id, uuid.uuid4(), uuid.uuid4())
    admission.admit(guest, is_data=True, slot=slot)
print("in", flush=True)
time.sleep(600)
"""


def is_let_in(tenant: Tenant) -> bool:
    """Now, or else in a tenth of a second."""
    try:
        enter(tenant)
    except admission.TooManyAtOnce:
        time.sleep(0.1)
        return False
    return True


def test_slots_of_a_killed_process_run_out(narrow: Tenant) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", _HOLDS, str(narrow.id), str(AT_ONCE)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"in\n"
    with pytest.raises(admission.TooManyAtOnce):
        enter(narrow)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    assert any(is_let_in(narrow) for _ in range(100))


def ends(slot: Slot) -> float:
    score = valkey.client().zscore(slot.key, slot.name)
    assert isinstance(score, float)
    return score


def test_a_request_that_takes_long_keeps_its_slot(narrow: Tenant) -> None:
    long, brief = enter(narrow), enter(narrow)
    first, other = ends(long), ends(brief)
    long.since -= 15
    valkey.client().zadd(long.key, {long.name: first - 14_000})
    slots.renew(slot for slot in slots._old() if slot.tenant_id == narrow.id)
    assert ends(long) >= first
    assert ends(brief) == other


def test_a_slot_that_was_given_back_is_not_brought_again(narrow: Tenant) -> None:
    slot = enter(narrow)
    slot.since -= 15
    slot.leave(200)
    slots.renew([slot])
    assert slots.taken(narrow.id) == 0


def test_without_valkey_a_request_ends_all_the_same(
    narrow: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    slot = enter(narrow)
    with monkeypatch.context() as away:
        away.setattr(valkey.client(), "connection_pool", _nowhere())
        slot.leave(200)
    assert slots.taken(narrow.id) == 1
    assert 0 < valkey.client().pttl(slot.key) <= slots.LEASE * 1000


def _nowhere() -> Any:
    return redis.ConnectionPool(host="127.0.0.1", port=1)


def test_slots_are_counted_by_tenant(narrow: Tenant) -> None:
    held = enter(narrow)
    assert slots.taken(build_tenant().id) == 0
    assert slots.taken(UUID(int=0)) == 0
    assert slots.taken(narrow.id) == 1
    held.leave(200)


@pytest.mark.usefixtures("routes")
def test_in_one_process_a_tenant_waits_for_its_connections_and_others_do_not(
    house: House, settings: Any
) -> None:
    settings.CONNECTIONS_PER_TENANT = 2
    alice, mallory = house.alice.headers, house.mallory.headers
    with ThreadPoolExecutor(5) as pool:
        asked = [pool.submit(get, alice, "waiting") for _ in range(5)]
        while slots.taken(house.tenant.id) < 5:
            time.sleep(0.01)
        assert connections._shares[house.tenant.id].free._value == 0
        assert get(mallory, "stream").status_code == 200
        _open.set()
        assert [one.result().status_code for one in asked] == [200] * 5
    assert house.tenant.id not in connections._shares


@pytest.mark.usefixtures("routes")
def test_who_waits_too_long_for_a_connection_is_told(
    house: House, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.CONNECTIONS_PER_TENANT = 1
    monkeypatch.setattr(connections, "_WAITS_FOR", 0.05)
    with connections.share(house.tenant.id):
        refused = get(house.alice.headers, "stream")
    assert (refused.status_code, refused.json()["code"]) == (429, "too_many_at_once")
    assert refused["Retry-After"] == "1"
    assert get(house.alice.headers, "stream").status_code == 200
