"""WebSockets, real ones: each sees its own person's events, and nobody gets in by another door."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from tests.cast import House, Person, build_house
from tests.market import Market, list_instrument
from tests.web import Server


def address(server: Server, person: Person | None = None) -> str:
    prefix = f"/t/{person.tenant.slug}" if person else ""
    return f"{server.url.replace('http', 'ws')}{prefix}/ws/v1/stream/"


async def opened(server: Server, person: Person) -> ClientConnection:
    """A socket at the tenant's address, signed in by sub-protocol."""
    socket = await connect(address(server, person), subprotocols=[f"bulkhead.token.{person.token}"])
    assert json.loads(await socket.recv())["type"] == "authenticated"
    return socket


async def heard(socket: ClientConnection) -> list[dict[str, Any]]:
    """What has arrived, and what arrives within a second of the last."""
    events = []
    try:
        while True:
            events.append(json.loads(await asyncio.wait_for(socket.recv(), 1.0)))
    except TimeoutError:
        return events


def trade(person: Person, market: Market) -> str:
    account = person.post("accounts/", {"name": "paper"}).json()["id"]
    person.post(f"accounts/{account}/deposit/", {"currency": "USD", "amount": "1000"})
    body = {"account": account, "instrument": market.symbol, "side": "buy", "type": "market"}
    return str(person.post("orders/", {**body, "quantity": "1"}).json()["id"])


async def test_each_socket_hears_its_own_persons_events(server: Server) -> None:
    market = await sync_to_async(list_instrument)()
    await sync_to_async(market.print_bar)(open="100", high="101", low="99", close="100")
    houses = [await sync_to_async(build_house)(tier) for tier in ("starter", "enterprise")]
    people = [person for h in houses for person in (h.alice, h.bob, h.mallory, h.olga)]
    sockets = [await opened(server, person) for person in people]
    traders = [person for person in people if person.name != "olga"]
    orders = {p.user_id: await sync_to_async(trade)(p, market) for p in traders}
    await sync_to_async(market.feed_bar)(open="100", high="101", low="99", close="100")

    for person, socket in zip(people, sockets, strict=True):
        events = await heard(socket)
        expected = ["order.accepted", "order.filled"] if person in traders else []
        assert [event["type"] for event in events] == expected
        assert {event["data"]["order"] for event in events} <= {orders.get(person.user_id)}
        await socket.close()


async def test_a_token_in_the_first_message_opens_the_stream(server: Server, house: House) -> None:
    async with connect(address(server)) as socket:
        await socket.send(json.dumps({"type": "authenticate", "token": house.alice.token}))
        answer = json.loads(await socket.recv())
    assert answer == {"type": "authenticated", "tenant": str(house.tenant.id)}


@pytest.mark.parametrize(
    ("at", "token", "code"),
    [
        ("mallory", "alice", 4403),
        ("alice", "nonsense", 4401),
    ],
)
async def test_the_wrong_door_is_closed(
    server: Server, house: House, at: str, token: str, code: int
) -> None:
    where: Person = getattr(house, at)
    secret = house.alice.token if token == "alice" else token
    async with connect(address(server, where)) as socket:
        await socket.send(json.dumps({"type": "authenticate", "token": secret}))
        with pytest.raises(ConnectionClosed) as closed:
            await socket.recv()
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == code


async def test_a_socket_that_never_signs_in_hears_nothing(server: Server, house: House) -> None:
    market = await sync_to_async(list_instrument)()
    await sync_to_async(market.print_bar)(open="100", high="101", low="99", close="100")
    async with connect(address(server, house.alice)) as socket:
        await sync_to_async(trade)(house.alice, market)
        assert await heard(socket) == []


async def test_a_failed_transaction_tells_nobody(server: Server, house: House) -> None:
    socket = await opened(server, house.alice)

    def refused() -> int:
        body = {"account": "01900000-0000-7000-8000-000000000000", "instrument": "BTC/USD"}
        return int(house.alice.post("orders/", body).status_code)

    assert await sync_to_async(refused)() == 400
    assert await heard(socket) == []
    await socket.close()
