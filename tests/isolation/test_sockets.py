"""WebSockets, real ones: each sees its own person's events, and nobody gets in by another door."""

from __future__ import annotations

import asyncio
import json
from asyncio import gather
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from asgiref.sync import sync_to_async
from asgiref.testing import ApplicationCommunicator
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from accounts.tokens import credentials
from accounts.tokens.credentials import Grant
from config.sockets import is_same_origin
from tenants import admission, door
from tenants.identifiers import new_id
from tests.cast import House, Person, build_whole_house, now
from tests.market import Market, list_instrument
from tests.web import Server
from trading.notifications.queries import BEGINNING
from trading.notifications.stream import EventStream


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
    houses = [await sync_to_async(build_whole_house)(tier) for tier in ("starter", "enterprise")]
    people = [person for h in houses for person in (h.alice, h.bob, h.mallory, h.olga)]
    sockets = [await opened(server, person) for person in people]
    traders = [person for person in people if person.name != "olga"]
    orders = {p.user_id: await sync_to_async(trade)(p, market) for p in traders}
    await sync_to_async(market.feed_bar)(open="100", high="101", low="99", close="100")

    for person, socket in zip(people, sockets, strict=True):
        events = await heard(socket)
        expected = ["balance", "balance", "order.accepted", "balance", "order.filled"]
        kinds = [event["type"].replace(".changed", "") for event in events]
        assert sorted(kinds) == (sorted(expected) if person in traders else [])
        seen = {event["data"]["order"] for event in events if "order" in event["data"]}
        assert seen <= {orders.get(person.user_id)}
        await socket.close()


async def test_a_token_in_the_first_message_opens_the_stream(server: Server, house: House) -> None:
    async with connect(address(server)) as socket:
        await socket.send(json.dumps({"type": "authenticate", "token": house.alice.token}))
        answer = json.loads(await socket.recv())
    began = {"tenant": str(house.tenant.id), "last_id": str(BEGINNING.id)}
    assert answer == {"type": "authenticated", **began}


async def test_nobody_goes_on_from_somebody_elses_event(server: Server, house: House) -> None:
    """Their ids are as unknown as ids that were never given out, and nothing follows."""
    market = await sync_to_async(list_instrument)()
    await sync_to_async(market.print_bar)(open="100", high="101", low="99", close="100")
    await sync_to_async(trade)(house.alice, market)
    seen = (await sync_to_async(house.alice.get)("notifications/")).json()["results"][0]["id"]
    strangers = (house.bob, house.mallory, house.olga)
    theirs = await gather(*(resumed(server, person, seen) for person in strangers))
    nobodys = await gather(*(resumed(server, person, str(uuid4())) for person in strangers))
    assert theirs == nobodys
    for answers in theirs:
        assert [message["type"] for message in answers] == ["authenticated", "resync"]


async def resumed(server: Server, person: Person, last_id: str) -> list[dict[str, Any]]:
    """What somebody hears who gives this id, but for the time."""
    async with connect(f"{address(server, person)}?last_id={last_id}") as socket:
        await socket.send(json.dumps({"type": "authenticate", "token": person.token}))
        return [{**message, "at": ""} for message in await heard(socket)]


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


MALFORMED: dict[str, str | bytes] = {
    "no json": "nonsense",
    "half": '{"type": ',
    "empty": "",
    "deep": "[" * 15_000,
    "deep objects": '{"a":' * 3000,
    "long": json.dumps({"token": "x" * 20_000}),
    "number without end": "9" * 5000,
    "array": "[]",
    "string": '"token"',
    "null": "null",
    "binary": b"{}",
    "nothing in binary": b"",
}


async def closed_with(socket: ClientConnection) -> int:
    with pytest.raises(ConnectionClosed) as closed:
        await asyncio.wait_for(socket.recv(), 5)
    assert closed.value.rcvd is not None
    return closed.value.rcvd.code


@pytest.mark.parametrize("name", MALFORMED)
async def test_a_malformed_message_closes_the_socket(server: Server, name: str) -> None:
    async with connect(address(server)) as socket:
        for _ in range(3):  # what follows is on its way before the close arrives
            await socket.send(MALFORMED[name])
        assert await closed_with(socket) == 4400


async def test_signed_in_or_not_makes_no_difference(server: Server, house: House) -> None:
    before = len(server.log.read_text())
    for message in MALFORMED.values():
        socket = await opened(server, house.alice)
        await socket.send(message)
        assert await closed_with(socket) == 4400
    said = server.log.read_text()[before:]
    assert "Traceback" not in said
    assert "Unexpected ASGI message" not in said


async def test_a_message_longer_than_any_of_ours_is_not_even_read(server: Server) -> None:
    async with connect(address(server)) as socket:
        await socket.send("x" * 16_385)
        assert await closed_with(socket) == 4400
    async with connect(address(server)) as socket:
        await socket.send("x" * 65_537)
        assert await closed_with(socket) == 1009


async def test_a_socket_that_talks_without_end_is_closed(server: Server, house: House) -> None:
    socket = await opened(server, house.alice)
    for _ in range(EventStream.messages_per_minute):
        await socket.send('{"type": "nothing"}')
    assert await heard(socket) == []
    for _ in range(3):
        await socket.send('{"type": "nothing"}')
    assert await closed_with(socket) == 4429


async def test_a_minute_later_there_is_room_for_more(house: House) -> None:
    stream = EventStream()
    said = [stream._is_too_much() for _ in range(stream.messages_per_minute + 1)]
    assert said == [False] * stream.messages_per_minute + [True]
    stream.minute_began -= 60
    assert not stream._is_too_much()


@pytest.mark.parametrize("token", [None, 1, [], "", "a.b.c", "\ud800", "\0", "." * 10_000])
async def test_a_token_that_is_none_is_refused(server: Server, token: Any) -> None:
    async with connect(address(server)) as socket:
        await socket.send(json.dumps({"type": "authenticate", "token": token}))
        assert await closed_with(socket) == 4401


async def test_who_does_not_sign_in_in_time_is_closed(house: House) -> None:
    class Hurried(EventStream):
        seconds_to_authenticate = 0.5

    path = f"/t/{house.tenant.slug}/ws/v1/stream/"
    headers = [(b"host", b"testserver")]
    scope = {"type": "websocket", "path": path, "headers": headers, "subprotocols": []}
    stranger, alice = (ApplicationCommunicator(Hurried.as_asgi(), dict(scope)) for _ in range(2))
    for socket in (stranger, alice):
        await socket.send_input({"type": "websocket.connect"})
        assert (await socket.receive_output())["type"] == "websocket.accept"
    said = json.dumps({"type": "authenticate", "token": house.alice.token})
    await alice.send_input({"type": "websocket.receive", "text": said})
    assert await stranger.receive_output() == {"type": "websocket.close", "code": 4401}
    assert "authenticated" in (await alice.receive_output())["text"]
    assert await alice.receive_nothing(0.7)
    for socket in (stranger, alice):
        await socket.send_input({"type": "websocket.disconnect", "code": 1000})
        await socket.wait()


def test_the_deadline_is_ten_seconds() -> None:
    assert EventStream.seconds_to_authenticate == 10


@pytest.mark.parametrize("path", ["/", "/ws/v1/other/", "/ws/v1/stream", "/t/none/ws/", "/%0a%ff"])
@pytest.mark.parametrize("offered", [None, ["bulkhead.token.x"]])
async def test_a_path_that_nobody_serves_is_closed(
    server: Server, path: str, offered: list[Any] | None
) -> None:
    url = f"{server.url.replace('http', 'ws')}{path}"
    async with connect(url, subprotocols=offered) as socket:
        assert await closed_with(socket) == 4404


@pytest.mark.parametrize("form", ["bulkhead.token.{}", "{}"])
async def test_the_protocol_that_carries_the_token_is_chosen(
    server: Server, house: House, form: str
) -> None:
    chosen: Any = form.format(house.alice.token)
    where = address(server, house.alice)
    async with connect(where, subprotocols=["other", chosen]) as socket:
        assert json.loads(await socket.recv())["type"] == "authenticated"
        assert socket.subprotocol == chosen


@pytest.mark.parametrize("offered", ["a.b.c", "bulkhead.token.a.b.c", "bulkhead.token."])
async def test_a_protocol_with_a_bad_token_is_refused(server: Server, offered: Any) -> None:
    async with connect(address(server), subprotocols=[offered]) as socket:
        assert await closed_with(socket) == 4401


async def test_a_page_of_the_same_origin_is_let_in(server: Server) -> None:
    origin: Any = server.url
    async with connect(address(server), origin=origin) as socket:
        assert await heard(socket) == []


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "http://127.0.0.1", "http://127.0.0.1:1", "null", "http://["]
)
async def test_a_page_of_another_origin_is_refused(server: Server, origin: Any) -> None:
    with pytest.raises(InvalidStatus) as refused:
        await connect(address(server), origin=origin)
    assert refused.value.response.status_code == 403


@pytest.mark.parametrize(
    ("origins", "hosts", "same"),
    [
        ([], ["a.example"], True),
        ([], [], True),
        (["https://a.example"], ["a.example"], True),
        (["https://A.example:8443"], ["a.EXAMPLE:8443"], True),
        (["https://a.example:8443"], ["a.example"], False),
        (["https://a.example.evil"], ["a.example"], False),
        (["https://evil@a.example"], ["a.example"], False),
        (["a.example"], ["a.example"], False),
        (["file://a.example"], ["a.example"], False),
        (["https://a.example", "https://b.example"], ["a.example"], False),
        (["null"], [""], False),
        ([""], [""], False),
        (["http://"], [""], False),
    ],
)
def test_an_origin_is_its_host_and_port(origins: list[str], hosts: list[str], same: bool) -> None:
    headers = [(b"Origin", o.encode()) for o in origins] + [(b"host", h.encode()) for h in hosts]
    assert is_same_origin(headers) is same


class Watched(EventStream):
    seconds_between_checks = 0.1


async def signed_in(house: House, token: str) -> Any:
    """A socket of Alice's that has been let in, and is looked after every tenth of a second."""
    path = f"/t/{house.tenant.slug}/ws/v1/stream/"
    headers = [(b"host", b"testserver")]
    scope = {"type": "websocket", "path": path, "headers": headers, "subprotocols": []}
    socket = ApplicationCommunicator(Watched.as_asgi(), scope)
    await socket.send_input({"type": "websocket.connect"})
    assert (await socket.receive_output())["type"] == "websocket.accept"
    said = json.dumps({"type": "authenticate", "token": token})
    await socket.send_input({"type": "websocket.receive", "text": said})
    assert "authenticated" in (await socket.receive_output())["text"]
    return socket


async def test_a_socket_ends_with_its_token(house: House) -> None:
    grant = Grant(house.alice.user_id, house.tenant.id, house.alice.role, new_id())
    ends = now() + timedelta(seconds=1.5)
    socket = await signed_in(house, credentials.issue(grant, now=now(), until=ends))
    assert await socket.receive_nothing(0.3)
    assert await socket.receive_output(5) == {"type": "websocket.close", "code": 4401}


async def test_a_socket_ends_with_its_session_even_if_nobody_told_it(house: House) -> None:
    session = new_id()
    grant = Grant(house.alice.user_id, house.tenant.id, house.alice.role, session)
    socket = await signed_in(house, credentials.issue(grant, now=now()))
    await sync_to_async(admission.end)([session])
    assert await socket.receive_output(5) == {"type": "websocket.close", "code": 4401}


async def test_a_socket_ends_when_data_is_locked(house: House) -> None:
    socket = await signed_in(house, house.alice.token)
    await sync_to_async(door.lock)(house.tenant.id)
    try:
        assert await socket.receive_output(5) == {"type": "websocket.close", "code": 1013}
    finally:
        await sync_to_async(door.unlock)(house.tenant.id)
