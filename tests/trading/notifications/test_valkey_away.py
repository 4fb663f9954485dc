"""Valkey stopped between a commit and what it would have sent: nothing is lost, only late."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.conf import settings
from django.test import override_settings
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed, WebSocketException

from config.embedded.server import Server as EmbeddedServer
from config.embedded.servers import running
from tests.cast import House, Person, build_house
from tests.trading.notifications.hearing import publish
from tests.trading.notifications.test_reconnects import opened
from tests.web import Server, serve

pytestmark = pytest.mark.by_turns


@pytest.fixture(scope="module")
def own_valkey() -> Iterator[tuple[EmbeddedServer, str]]:
    """A Valkey that only this module's web process uses."""
    given = {name: value for name, value in os.environ.items() if name != "REDIS_URL"}
    with TemporaryDirectory(prefix="bulkhead-valkey-") as folder:
        Path(folder).chmod(0o755)
        with running(Path(folder) / "data", durable=False, given=given) as servers:
            yield servers.started[0], servers.redis_url


@pytest.fixture(scope="module")
def web(own_valkey: tuple[EmbeddedServer, str]) -> Iterator[Server]:
    with serve(REDIS_URL=own_valkey[1]) as server:
        yield server


@contextlib.contextmanager
def sending_to(address: str) -> Iterator[None]:
    """What this process publishes goes by the Valkey of the web process."""
    layers = deepcopy(settings.CHANNEL_LAYERS)
    layers["default"]["CONFIG"]["hosts"] = [{"address": address, "socket_timeout": 8.0}]
    with override_settings(CHANNEL_LAYERS=layers):
        yield


async def hear(socket: ClientConnection, count: int, seconds: float) -> list[dict[str, Any]]:
    async with asyncio.timeout(seconds):
        return [json.loads(await socket.recv()) for _ in range(count)]


async def back(web: Server, person: Person, last_id: str) -> ClientConnection:
    """In again, once the server has found its Valkey."""
    for _ in range(100):
        with contextlib.suppress(ConnectionClosed, WebSocketException):
            socket: ClientConnection = (await opened(web, person, last_id))[0]
            return socket
        await asyncio.sleep(0.1)
    raise AssertionError(web.log.read_text())


async def test_who_was_cut_off_with_valkey_comes_back_and_has_missed_nothing(
    web: Server, own_valkey: tuple[EmbeddedServer, str], house: House
) -> None:
    valkey, address = own_valkey
    before = len(web.log.read_text())
    socket, _ = await opened(web, house.alice)
    with sending_to(address):
        await publish(house.alice, "heard")
        (heard,) = await hear(socket, 1, 5)
        await sync_to_async(valkey.stop)()
        try:
            await publish(house.alice, "lost", "lost too")
            with pytest.raises(ConnectionClosed) as closed:
                await asyncio.wait_for(socket.recv(), 20)
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == 1013
            await publish(house.alice, "while nobody could be told")
        finally:
            await sync_to_async(valkey.start)()
        socket = await back(web, house.alice, heard["id"])
        await publish(house.alice, "new")
        kinds = [message["type"] for message in await hear(socket, 4, 10)]
    assert kinds == ["lost", "lost too", "while nobody could be told", "new"]
    await socket.close()
    assert "Traceback" not in web.log.read_text()[before:]


async def test_a_message_that_was_lost_comes_with_the_next(
    web: Server, own_valkey: tuple[EmbeddedServer, str], house: House
) -> None:
    socket, _ = await opened(web, house.alice)
    await asyncio.sleep(0.5)  # it has looked for itself once
    # By the Valkey of the run, of which this web process knows nothing.
    await publish(house.alice, "lost")
    with sending_to(own_valkey[1]):
        await publish(house.alice, "next")
    assert [message["type"] for message in await hear(socket, 2, 5)] == ["lost", "next"]
    await socket.close()


async def test_a_message_that_was_lost_comes_with_the_next_check(web: Server) -> None:
    alice = (await sync_to_async(build_house)("starter")).alice
    socket, _ = await opened(web, alice)
    await asyncio.sleep(0.5)  # it has looked for itself once
    await publish(alice, "lost")
    assert [message["type"] for message in await hear(socket, 1, 20)] == ["lost"]
    await socket.close()
