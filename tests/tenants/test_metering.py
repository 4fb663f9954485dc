"""Work beside requests: paid as it goes on, by who has it done, and slowed when that is used up."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from typing import Any

import pytest
import redis
from asgiref.sync import sync_to_async

from config.api import streams
from config.api.streams import Attachment
from config.observing import work
from config.observing.work import Work
from tenants import admission, budget, metering, slots, valkey
from tenants.metering import Meter
from tenants.models import Tenant
from tests.cast import build_tenant
from tests.tenants.guests import enter
from tests.tenants.plans import put_on_own_plan
from tests.tenants.test_budget import FULL, PACE, left, put


@pytest.fixture
def narrow() -> Tenant:
    tenant = build_tenant()
    put_on_own_plan(tenant, server_ms_per_second=PACE)
    return tenant


def compute(seconds: float) -> None:
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        pass


class Computed:
    """So many blocks, each of which takes a thread so long."""

    def __init__(self, number: int, seconds: float) -> None:
        self.left, self.seconds = number, seconds

    def __iter__(self) -> Iterator[bytes]:
        while self.left:
            self.left -= 1
            compute(self.seconds)
            yield b"block"

    def close(self) -> None:
        """Nothing is held."""


def attached(blocks: Computed, meter: Meter) -> Attachment:
    answer = Attachment(blocks, name="x.zip", content_type="application/zip")
    answer.meter = meter
    return answer


async def test_while_a_stream_goes_on_the_next_request_is_refused(narrow: Tenant) -> None:
    await sync_to_async(put)(narrow, 90)
    slot = await sync_to_async(enter)(narrow)
    blocks = Computed(3, 0.4)
    given = aiter(attached(blocks, slot.streams()))
    assert await anext(given) == b"block"
    with pytest.raises(admission.TooMuchTime) as refused:
        await sync_to_async(enter)(narrow)
    assert int(refused.value.headers["Retry-After"]) >= 1
    assert blocks.left == 2
    await sync_to_async(slot.leave)(200)


async def test_a_stream_rests_while_nothing_is_left_and_holds_no_thread(
    narrow: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    rests: list[float] = []

    async def rest(seconds: float) -> None:
        rests.append(seconds)

    monkeypatch.setattr(streams.asyncio, "sleep", rest)
    put(narrow, 60)
    slowly = Meter(narrow.id, PACE // 10)
    blocks = [block async for block in attached(Computed(4, 0.1), slowly)]
    assert blocks == [b"block"] * 4
    assert rests == sorted(rests)
    assert rests[0] > 1.0
    assert rests[-1] > 10.0  # it owes the most that can be owed at 10 a second


def test_what_people_have_left_is_held_again_before_it_goes_on(narrow: Tenant) -> None:
    put(narrow, 10)
    meter = Meter(narrow.id, PACE)
    meter.unpaid = 0.11
    wanted = budget.kept_from_keys(PACE) + 100
    assert budget.kept_from_keys(PACE) < meter.pay() * PACE <= wanted
    put(narrow, FULL)
    meter.unpaid = 0.11
    assert meter.pay() == 0.0


def test_it_is_paid_by_steps_and_the_rest_at_the_end(
    narrow: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []
    script = metering._script()

    def note(**given: Any) -> Any:
        asked.append(given["args"][1])
        return script(**given)

    monkeypatch.setattr(metering, "_script", lambda: note)
    meter = Meter(narrow.id, PACE)
    for _ in range(10):
        meter.unpaid += 0.02
        meter.pay()
    assert asked == [60, 60, 60]
    meter.pay(step=0.0)
    meter.pay(step=0.0)
    assert asked == [60, 60, 60, 20]


def test_a_slot_pays_what_its_stream_has_not(narrow: Tenant) -> None:
    """And does not learn from a long stream that each request is as dear."""
    slot = enter(narrow)
    meter = slot.streams()
    meter.unpaid = 0.2
    meter.pay()
    meter.unpaid += 0.04
    slot.leave(200)
    assert FULL - 245 - 20 < left(narrow) < FULL - 100  # it gains 100 a second
    each = float(valkey.client().hget(budget.key_of(narrow.id), "each") or 0)
    assert 40 <= each < 100


def test_statements_of_a_stretch_are_charged_with_it(narrow: Tenant) -> None:
    meter = Meter(narrow.id, PACE)
    with work.doing(Work(server_seconds=5.0)) as doing, meter.running():
        doing.server_seconds += 0.3
    assert 0.3 <= meter.unpaid < 1.0


async def test_on_the_loop_the_work_of_others_is_not_charged(narrow: Tenant) -> None:
    async def own() -> str:
        compute(0.03)
        await asyncio.sleep(0.01)
        compute(0.03)
        return "told"

    async def anothers() -> None:
        compute(0.5)

    meter = Meter(narrow.id, PACE)
    told, _ = await asyncio.gather(meter.awaiting(own()), anothers())
    assert told == "told"
    assert 0.06 <= meter.unpaid < 0.5


async def test_what_is_metered_fails_and_is_called_off_as_it_would_be(narrow: Tenant) -> None:
    cleared: list[str] = []

    async def waiting() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            cleared.append("away")

    async def failing() -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await waiting()
        raise ValueError("halfway")

    meter = Meter(narrow.id, PACE)
    with pytest.raises(ValueError, match="halfway"):
        await meter.awaiting(failing())
    metered = asyncio.ensure_future(_awaited(meter, waiting()))
    await asyncio.sleep(0)
    metered.cancel()
    with pytest.raises(asyncio.CancelledError):
        await metered
    assert cleared == ["away", "away"]


async def _awaited(meter: Meter, going: Any) -> None:
    await meter.awaiting(going)


def test_without_valkey_it_goes_slowly_and_is_paid_later(
    narrow: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    meter = Meter(narrow.id, PACE)
    meter.unpaid = 0.1
    with monkeypatch.context() as away:
        nowhere = redis.ConnectionPool(host="127.0.0.1", port=1)
        away.setattr(valkey.client(), "connection_pool", nowhere)
        assert meter.pay() == metering._BLIND
    put(narrow, 90)
    assert meter.pay() > 0
    assert left(narrow) < 0
    assert slots.taken(narrow.id) == 0
