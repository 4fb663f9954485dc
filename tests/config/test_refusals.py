"""Refusals that are answered again in front of Django: the same, shortly, to nobody else."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

import pytest

from config import refusals as memory
from config.refusals import RefusalMemory
from tenants import budget, refusals, usage, valkey
from tenants.models import Plan, Tenant
from tenants.refusals import Refusal
from tests import web
from tests.cast import House, build_house, build_tenant, now
from tests.tenants.plans import change, put_on_own_plan
from tests.web import Server

pytestmark = pytest.mark.by_turns

TENANT = UUID(int=7)
CREDENTIAL = (b"authorization", b"Bearer one")
PATH = "/api/v1/accounts/"


class Platform:
    """Stands in for Django: refuses everybody, says for how long that holds, and counts."""

    def __init__(self, *, seconds: float = 9.0, status: int = 429, is_noted: bool = True) -> None:
        self.asked = 0
        self.seconds, self.status, self.is_noted = seconds, status, is_noted
        self.may_answer = asyncio.Event()
        self.may_answer.set()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.asked += 1
        await self.may_answer.wait()
        if self.is_noted:
            ends = time.monotonic() + self.seconds
            scope[refusals.NOTED] = Refusal(TENANT, "overdrawn", ends)
        body = json.dumps({"code": "too_much_time", "request_id": f"r{self.asked}"}).encode()
        headers = [
            (b"Content-Type", b"application/problem+json"),
            (b"Content-Length", str(len(body)).encode()),
            (b"Retry-After", b"9"),
            (b"RateLimit-Limit", b"600"),
            (b"X-Request-ID", b"r1"),
        ]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": body})


@pytest.fixture(autouse=True)
def nothing_is_told(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Refusal]]:
    counted: list[Refusal] = []
    monkeypatch.setattr(refusals, "count", counted.append)
    monkeypatch.setattr(memory, "_SLOWLY", 0.0)
    yield counted


def scope(*headers: tuple[bytes, bytes], path: str = PATH, **more: Any) -> dict[str, Any]:
    return {
        "type": "http",
        "method": "GET",
        "path": path,
        "scheme": "http",
        "client": ("10.0.0.1", 5),
        "headers": [(b"host", b"localhost"), *headers],
        **more,
    }


async def ask(site: RefusalMemory, asked: dict[str, Any]) -> tuple[int, dict[str, str], Any]:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    await site(asked, None, send)
    start, body = sent
    headers = {name.decode().lower(): value.decode() for name, value in start["headers"]}
    assert int(headers["content-length"]) == len(body["body"])
    return start["status"], headers, json.loads(body["body"])


async def test_who_asks_again_is_told_the_same_by_an_id_of_its_own(
    nothing_is_told: list[Refusal],
) -> None:
    platform = Platform()
    site = RefusalMemory(platform)
    status, headers, document = await ask(site, scope(CREDENTIAL))
    again = await ask(site, scope(CREDENTIAL, path="/api/v1/orders/"))
    assert platform.asked == 1
    assert (again[0], again[2]["code"]) == (status, document["code"])
    assert again[2]["request_id"] == again[1]["x-request-id"] != document["request_id"]
    own = {"x-request-id", "content-length"}
    assert {k: v for k, v in again[1].items() if k not in own} == {
        k: v for k, v in headers.items() if k not in own
    }
    assert [refusal.tenant_id for refusal in nothing_is_told] == [TENANT]
    mine = await ask(site, scope(CREDENTIAL, (b"x-request-id", b"mine")))
    assert mine[1]["x-request-id"] == mine[2]["request_id"] == "mine"


OTHERS: dict[str, dict[str, Any]] = {
    "credential": scope((b"authorization", b"Bearer two")),
    "scheme of it": scope((b"authorization", b"Api-Key one")),
    "none": scope(),
    "tenant in the path": scope(CREDENTIAL, path=f"/t/acme{PATH}"),
    "host": {**scope(CREDENTIAL), "headers": [(b"host", b"acme.localhost"), CREDENTIAL]},
    "client": scope(CREDENTIAL, client=("10.0.0.2", 5)),
    "origin": scope(CREDENTIAL, (b"origin", b"https://app.example.com")),
    "road": scope(CREDENTIAL, scheme="https"),
    "proxy's road": scope(CREDENTIAL, (b"x-forwarded-proto", b"https")),
    "health": scope(CREDENTIAL, path="/healthz"),
    "metrics": scope(CREDENTIAL, path="/metrics"),
    "staff": scope(CREDENTIAL, path="/admin/"),
    "preflight": scope(CREDENTIAL, method="OPTIONS"),
    "both in one": scope((b"authorization", b"Bearer one\0localhost")),
}


@pytest.mark.parametrize("name", OTHERS)
async def test_whoever_is_another_is_asked_about_anew(name: str) -> None:
    platform = Platform()
    site = RefusalMemory(platform)
    await ask(site, scope(CREDENTIAL))
    await ask(site, {**OTHERS[name]})
    assert platform.asked == 2


async def test_it_holds_until_there_is_room_and_for_a_second_at_most(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    for seconds, holds in ((0.3, 0.3), (20.0, 1.0)):
        platform = Platform(seconds=seconds)
        site = RefusalMemory(platform)
        await ask(site, scope(CREDENTIAL))
        clock[0] += holds - 0.01
        _, headers, _ = await ask(site, scope(CREDENTIAL))
        assert int(headers["retry-after"]) == (1 if seconds < 1 else 20)
        assert platform.asked == 1
        clock[0] += 0.02
        await ask(site, scope(CREDENTIAL))
        assert platform.asked == 2


async def test_once_there_should_be_room_one_at_a_time_may_ask() -> None:
    """Who was told to wait a second asks early: all of them at once would be refused by Django."""
    platform = Platform(seconds=-1.0)
    site = RefusalMemory(platform)
    await ask(site, scope(CREDENTIAL))
    platform.may_answer.clear()
    first = asyncio.create_task(ask(site, scope(CREDENTIAL)))
    await asyncio.sleep(0)
    for _ in range(5):
        status, headers, _ = await ask(site, scope(CREDENTIAL))
        assert (status, headers["retry-after"]) == (429, "1")
    assert platform.asked == 2
    platform.may_answer.set()
    await first
    await ask(site, scope(CREDENTIAL))
    assert platform.asked == 3


@pytest.mark.parametrize(("status", "is_noted"), [(429, False), (200, False), (403, False)])
async def test_no_other_answer_is_remembered(status: int, is_noted: bool) -> None:
    platform = Platform(status=status, is_noted=is_noted)
    site = RefusalMemory(platform)
    for _ in range(2):
        await ask(site, scope(CREDENTIAL))
    assert platform.asked == 2


async def test_no_more_is_remembered_than_memory_has_room_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(memory, "_AT_MOST", 10)
    clock = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    site = RefusalMemory(Platform())
    for number in range(50):
        await ask(site, scope((b"authorization", b"Bearer %d" % number)))
        assert len(site._known) <= 10
    clock[0] += 2
    await ask(site, scope(CREDENTIAL))
    assert len(site._known) == 1


async def test_who_does_not_wait_is_made_to_but_not_more_than_so_many(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    site = RefusalMemory(Platform())
    await ask(site, scope(CREDENTIAL))
    monkeypatch.setattr(memory, "_SLOWLY", 3_600.0)
    monkeypatch.setattr(memory, "_WAITING_AT_MOST", 2)
    waiting = [asyncio.create_task(ask(site, scope(CREDENTIAL))) for _ in range(2)]
    await asyncio.sleep(0)
    assert (await ask(site, scope(CREDENTIAL)))[0] == 429
    for one in waiting:
        assert not one.done()
        one.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    assert site._waiting == 0


def owe(tenant: Tenant, millis: int = 100_000) -> None:
    at = valkey.client().time()[0] * 1000
    key = budget.key_of(tenant.id)
    valkey.client().hset(key, mapping={"left": -millis, "at": at})


def get(server: Server, house: House, path: str = PATH, **headers: str) -> Any:
    url, sent = f"{server.url}{path}", {**house.alice.headers, **headers}
    return web.ask("GET", url, headers=sent)


@pytest.fixture
def lame(house: House) -> House:
    put_on_own_plan(house.tenant, server_ms_per_second=10_000)
    owe(house.tenant)
    return house


def test_a_server_refuses_again_what_it_has_refused_and_counts_it(
    server: Server, lame: House
) -> None:
    answers = [get(server, lame) for _ in range(20)]
    assert {answer.status_code for answer in answers} == {429}
    assert len({answer.json()["request_id"] for answer in answers}) == 20
    assert {tuple(sorted(answer.headers)) for answer in answers} == {
        tuple(sorted(answers[0].headers))
    }
    for answer in answers:
        assert answer.json()["code"] == "too_much_time"
        assert answer.headers["X-Request-ID"] == answer.json()["request_id"]
        assert 1 <= int(answer.headers["Retry-After"]) <= 31
    end = time.monotonic() + 20
    while overdrawn(lame) < 20 and time.monotonic() < end:
        time.sleep(0.1)
    assert overdrawn(lame) == 20
    assert get(server, lame, "/healthz").status_code == 200
    for somebody in (lame.mallory, build_house(lame.tier).alice):
        url = f"{server.url}{PATH}"
        assert web.ask("GET", url, headers=somebody.headers).status_code == 200


def overdrawn(house: House) -> int:
    return usage.of(house.tenant.id, now=now()).day.count.overdrawn


def test_a_limit_that_was_raised_holds_within_two_seconds(server: Server, lame: House) -> None:
    assert [get(server, lame).status_code for _ in range(3)] == [429] * 3
    change(Plan.objects.get(tenants=lame.tenant), server_ms_per_second=1_000_000)
    end = time.monotonic() + 30
    while get(server, lame).status_code == 429:
        assert time.monotonic() < end
        time.sleep(0.05)


def test_a_stranger_who_guesses_is_not_remembered_as_the_tenants(
    server: Server, house: House
) -> None:
    """A bad credential is refused by its address, and no word of it is kept."""
    for _ in range(3):
        headers = {"Authorization": f"Bearer {uuid4()}"}
        assert web.ask("GET", f"{server.url}{PATH}", headers=headers).status_code == 401


def test_what_was_counted_waits_while_valkey_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    tenant = build_tenant()
    monkeypatch.setattr(refusals, "_telling", lambda: None)
    for _ in range(3):
        refusals.count(Refusal(tenant.id, "refused", 0.0))

    def away(_counted: object) -> None:
        raise valkey.ValkeyAway

    with monkeypatch.context() as patched:
        patched.setattr(refusals.tally, "add", away)
        refusals.tell()
    assert usage.of(tenant.id, now=now()).day.count.refused == 0
    refusals.tell()
    refusals.tell()
    assert usage.of(tenant.id, now=now()).day.count.refused == 3
