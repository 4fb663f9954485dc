"""Clients of the stream: in this process, where time and the wire can be bent, and real ones."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from asgiref.sync import sync_to_async
from django.conf import settings
from django.test import override_settings

from tenants import valkey
from tests.cast import Person, job
from tests.trading.notifications.test_log import tell
from trading.notifications.stream import EventStream

Message = dict[str, Any]


class Watched(EventStream):
    """Looks by itself every tenth of a second."""

    seconds_between_checks = 0.1


class Unwatched(EventStream):
    """Never looks by itself: what it hears, messages have brought."""

    seconds_between_checks = 600.0


@dataclass
class Wire:
    """Both ends of a socket of this process; the client reads on once `is_open` is set."""

    coming: asyncio.Queue[Message] = field(default_factory=asyncio.Queue)
    going: asyncio.Queue[Message] = field(default_factory=asyncio.Queue)
    is_open: asyncio.Event = field(default_factory=asyncio.Event)
    blocks_after: int | None = None  # messages that still fit into the buffers between the ends

    async def send(self, message: Message) -> None:
        if self.blocks_after is not None and not self.is_open.is_set():
            if self.blocks_after == 0:
                await self.is_open.wait()
            self.blocks_after = max(0, self.blocks_after - 1)
        await self.going.put(message)

    async def say(self, **content: Any) -> None:
        await self.coming.put({"type": "websocket.receive", "text": json.dumps(content)})

    async def hear(self, seconds: float = 5.0) -> Message:
        """The next message, or `{"closed": code}`."""
        message = await asyncio.wait_for(self.going.get(), seconds)
        if message["type"] == "websocket.close":
            return {"closed": message["code"]}
        content: Message = json.loads(message["text"])
        return content

    async def hear_all(self, seconds: float = 0.5) -> list[Message]:
        """What comes until nothing has come for so long."""
        heard = []
        with contextlib.suppress(TimeoutError):
            while True:
                heard.append(await self.hear(seconds))
        return heard

    async def kinds(self, seconds: float = 0.5) -> list[str]:
        return [message.get("type", "closed") for message in await self.hear_all(seconds)]


@contextlib.asynccontextmanager
async def socket_of(
    person: Person,
    kind: type[EventStream] = Unwatched,
    *,
    query: str = "",
    blocks_after: int | None = None,
    **opening: Any,
) -> AsyncIterator[Wire]:
    """A socket that has been accepted and has said who it is; hung up at the end."""
    wire = Wire(blocks_after=blocks_after)
    scope = {
        "type": "websocket",
        "path": f"/t/{person.tenant.slug}/ws/v1/stream/",
        "query_string": query.encode(),
        "headers": [(b"host", b"testserver")],
        "subprotocols": [],
    }
    served = asyncio.create_task(kind.as_asgi()(scope, wire.coming.get, wire.send))
    await wire.coming.put({"type": "websocket.connect"})
    assert (await wire.going.get())["type"] == "websocket.accept"
    await wire.say(type="authenticate", token=person.token, **opening)
    try:
        yield wire
    finally:
        wire.is_open.set()
        await wire.coming.put({"type": "websocket.disconnect", "code": 1000})
        await asyncio.wait_for(served, 10)


@contextlib.asynccontextmanager
async def listening(
    person: Person, kind: type[EventStream] = Unwatched, **more: Any
) -> AsyncIterator[Wire]:
    """A socket that has been let in."""
    async with socket_of(person, kind, **more) as wire:
        assert (await wire.hear())["type"] == "authenticated"
        yield wire


async def publish(person: Person, *kinds: str) -> None:
    """So many events of one transaction."""

    def commit() -> None:
        with job(person.tenant):
            for kind in kinds:
                tell(person.user_id, kind)

    await sync_to_async(commit)()


def seats_of(person: Person) -> int:
    """How many sockets count for a person."""
    key = f"sockets:tenant:{person.tenant.id}:{person.user_id}"
    return int(valkey.client().zcard(key))


@contextlib.contextmanager
def without_channel_layer() -> Iterator[None]:
    """Who publishes finds no Valkey; sockets that are open keep theirs."""
    layers = deepcopy(settings.CHANNEL_LAYERS)
    layers["default"]["CONFIG"]["hosts"] = [{"address": "redis://127.0.0.1:1/0"}]
    with override_settings(CHANNEL_LAYERS=layers):
        yield
