"""What a socket is told again costs its tenant, and what it waits for holds up nobody else's."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from asgiref.sync import sync_to_async

from tenants import usage
from tenants.moving import fence
from tests.cast import House, Person, now
from tests.isolation.database import connected
from tests.tenants.plans import put_on_own_plan
from tests.tenants.test_budget import left, put
from tests.tenants.test_metering import compute
from tests.trading.notifications.hearing import Wire, listening, publish, socket_of
from tests.trading.notifications.test_reconnects import opened
from tests.web import Server
from trading.notifications import queries
from trading.notifications.queries import BEGINNING

PACE = 10  # milliseconds a second
MANY = 2 * queries.PAGE
TRIES = 30


async def heard(wire: Wire, number: int) -> None:
    for _ in range(number):
        assert (await wire.hear(30))["type"] == "kind"


async def replay(person: Person) -> int:
    """How a socket ends that is told the whole log; 0 for one that is."""
    async with socket_of(person, last_id=str(BEGINNING.id)) as wire:
        first = await wire.hear(30)
        if "closed" in first:
            return int(first["closed"])
        await heard(wire, MANY)
    return 0


async def test_who_opens_again_and_again_with_an_old_id_is_refused(house: House) -> None:
    await sync_to_async(put_on_own_plan)(house.tenant, server_ms_per_second=PACE)
    for person in (house.alice, house.mallory):
        await publish(person, *["kind"] * MANY)
    await sync_to_async(put)(house.tenant, 50)
    ends = []
    while 1013 not in ends and len(ends) < TRIES:
        ends.append(await replay(house.alice))
    assert ends[0] == 0
    assert ends[-1] == 1013
    assert await replay(house.mallory) == 0
    count = (await sync_to_async(usage.of)(house.tenant.id, now=now())).day.count
    assert count.overdrawn >= 1


async def test_while_a_replay_goes_on_its_tenant_pays_and_it_is_slowed(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is told all the same: what is left of it waits until there is time again."""
    read = queries.after

    def dear(user_id: UUID, number: int) -> Any:
        compute(0.08)
        return read(user_id, number)

    await sync_to_async(put_on_own_plan)(house.tenant, server_ms_per_second=PACE)
    await publish(house.alice, *["kind"] * MANY)
    monkeypatch.setattr(queries, "after", dear)
    await sync_to_async(put)(house.tenant, 50)
    async with listening(house.alice, last_id=str(BEGINNING.id)) as wire:
        await heard(wire, queries.PAGE)
        async with socket_of(house.bob) as refused:
            assert await refused.hear() == {"closed": 1013}
        assert await sync_to_async(left)(house.tenant) < 0
        assert wire.going.empty()
        await heard(wire, MANY - queries.PAGE)
    async with listening(house.mallory):
        pass


@contextlib.contextmanager
def locked(house: House) -> Iterator[None]:
    """As at the end of a move: no transaction of the tenant's begins."""
    with connected("DATABASE_OWNER_URL") as fencing:
        fencing.execute("SELECT pg_advisory_xact_lock(%s)", [fence._key(house.tenant.id)])
        yield


async def test_while_one_tenants_sockets_wait_for_its_lock_anothers_open(
    server: Server, house: House
) -> None:
    with locked(house):
        people = [house.alice, house.bob, house.olga] * 2
        waiting = [asyncio.ensure_future(opened(server, person)) for person in people]
        done, _ = await asyncio.wait(waiting, timeout=1.0)
        assert not done
        socket, _ = await opened(server, house.mallory)
        await socket.close()
        assert not any(one.done() for one in waiting)
    for socket, _ in await asyncio.gather(*waiting):
        await socket.close()
