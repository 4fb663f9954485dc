"""Over a real server: people of several tenants, each hears all of their own, and only that.

All trade the same instrument at the same time, and every socket is cut again and again.
"""

from __future__ import annotations

import asyncio
import json
import random
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.db import connection
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from tests import web
from tests.cast import Person, build_house, build_whole_house, job
from tests.market import Market, list_instrument
from tests.trading.notifications.hearing import seats_of
from tests.trading.notifications.test_log import tell
from tests.web import Server
from trading.models import Notification

ORDERS, BARS, CUTS = 12, 6, 8


def address(server: Server, person: Person, last_id: str = "") -> str:
    query = f"?last_id={last_id}" if last_id else ""
    return f"{server.url.replace('http', 'ws')}/t/{person.tenant.slug}/ws/v1/stream/{query}"


async def opened(server: Server, person: Person, last_id: str = "", **more: Any) -> Any:
    """A socket that is let in, and where its stream begins."""
    offered: Any = [f"bulkhead.token.{person.token}"]
    socket = await connect(address(server, person, last_id), subprotocols=offered, **more)
    return socket, json.loads(await socket.recv())["last_id"]


@dataclass
class Listener:
    """Somebody with a socket that is cut without a word, and who comes back with `last_id`."""

    server: Server
    person: Person
    dice: random.Random
    heard: list[dict[str, Any]] = field(default_factory=list)
    cuts: int = 0
    socket: ClientConnection | None = None

    async def listen(self, ready: asyncio.Event) -> None:
        """For ever: until the task is cancelled."""
        last_id = ""
        while True:
            self.socket, begins = await opened(self.server, self.person, last_id)
            last_id = last_id or begins
            ready.set()
            try:
                async for text in self.socket:
                    self.heard.append(json.loads(text))
                    last_id = self.heard[-1]["id"]
            except ConnectionClosed:
                await asyncio.sleep(self.dice.random() / 5)  # away, while things go on

    async def hang_up(self) -> None:
        if self.socket is not None:
            await self.socket.close()

    async def cut_now_and_then(self) -> None:
        for _ in range(CUTS):
            await asyncio.sleep(0.1 + self.dice.random() / 3)
            if self.socket is not None:
                self.socket.transport.abort()
                self.cuts += 1


def logged(person: Person) -> list[dict[str, Any]]:
    """What the database has of a person: the truth."""
    with person.inside():
        rows = Notification.objects.filter(user_id=person.user_id).order_by("number")
        return [{"id": str(row.id), "type": row.kind, "data": row.data} for row in rows]


def orders_of(server: Server, person: Person, market: Market) -> set[str]:
    """Orders through the server, some cancelled again; the last is filled by the last bars."""
    with web.client(base_url=f"{server.url}/api/v1/", headers=person.headers) as client:
        account = client.post("accounts/", json={"name": "paper"}).json()["id"]
        money = {"currency": "USD", "amount": "1000"}
        client.post(f"accounts/{account}/deposit/", json=money)
        body = {"account": account, "instrument": market.symbol, "side": "buy", "quantity": "1"}
        placed = set()
        for turn in range(ORDERS):
            order = {**body, "type": "limit", "limit_price": "50"} if turn % 3 < 2 else body
            answer = client.post("orders/", json={"type": "market", **order})
            placed.add(answer.json()["id"])
            if turn % 5 == 4:
                client.post("orders/cancel-all/", json={"account": account})
    return placed


def feed(market: Market) -> None:
    try:
        for _ in range(BARS):
            market.feed_bar(open="100", high="101", low="99", close="100")
            time.sleep(0.1)
    finally:
        connection.close()


@pytest.mark.timeout(300)
async def test_each_hears_exactly_their_own_in_order_through_cuts(server: Server) -> None:
    market = await sync_to_async(list_instrument)()
    await sync_to_async(market.print_bar)(open="100", high="101", low="99", close="100")
    houses = [await sync_to_async(build_whole_house)(tier) for tier in ("starter", "enterprise")]
    people = [person for h in houses for person in (h.alice, h.bob, h.mallory)]
    listeners = [Listener(server, person, random.Random(n)) for n, person in enumerate(people)]
    events = [asyncio.Event() for _ in listeners]
    listening = [
        asyncio.create_task(listener.listen(ready))
        for listener, ready in zip(listeners, events, strict=True)
    ]
    await asyncio.gather(*(ready.wait() for ready in events))
    cutting = asyncio.gather(*(listener.cut_now_and_then() for listener in listeners))

    loop = asyncio.get_running_loop()
    with ThreadPoolExecutor(len(people) + 1) as pool:
        trading = [loop.run_in_executor(pool, orders_of, server, p, market) for p in people]
        feeding = loop.run_in_executor(pool, feed, market)
        placed = await asyncio.gather(*trading)
        await feeding
    await cutting
    await sync_to_async(feed)(market)

    truth = [await sync_to_async(logged)(person) for person in people]
    for listener, log in zip(listeners, truth, strict=True):
        await until_heard(listener, len(log))
    for listener, task in zip(listeners, listening, strict=True):
        task.cancel()
        await listener.hang_up()
    for listener, log, own in zip(listeners, truth, placed, strict=True):
        heard = [{key: m[key] for key in ("id", "type", "data")} for m in listener.heard]
        assert heard == log
        assert {m["data"]["order"] for m in heard if m["type"] != "balance.changed"} == own
        assert {"order.accepted", "order.filled", "order.canceled"} <= {m["type"] for m in heard}
        assert listener.cuts > CUTS / 2
    everything = [message["id"] for listener in listeners for message in listener.heard]
    assert len(everything) == len(set(everything)) > len(people) * ORDERS


async def until_heard(listener: Listener, expected: int) -> None:
    """Within some seconds; a message that is lost is found by a check, fifteen seconds apart."""
    for _ in range(400):
        if len(listener.heard) >= expected:
            return
        await asyncio.sleep(0.05)


BIG, MANY = 200_000, 120


def tell_much(person: Person) -> None:
    """More than the buffers between two processes hold."""
    for number in range(MANY):
        with job(person.tenant):
            tell(person.user_id, f"k{number}", pad="x" * BIG)


async def test_who_reads_nothing_is_cut_off_and_misses_nothing(server: Server) -> None:
    alice = (await sync_to_async(build_house)("starter")).alice
    socket, last_id = await opened(server, alice, compression=None, max_queue=1)
    heard: list[str] = []
    await sync_to_async(tell_much)(alice)
    for _ in range(80):  # ten seconds for a message, and ten for the close
        if not await sync_to_async(seats_of)(alice):
            break
        await asyncio.sleep(0.5)
    with pytest.raises(ConnectionClosed):
        while True:
            message = json.loads(await asyncio.wait_for(socket.recv(), 10))
            heard.append(message["type"])
            last_id = message["id"]
    assert 0 < len(heard) < MANY
    socket, _ = await opened(server, alice, last_id, compression=None)
    while len(heard) < MANY:
        heard.append(json.loads(await asyncio.wait_for(socket.recv(), 10))["type"])
    assert heard == [f"k{number}" for number in range(MANY)]
    await socket.close()
