"""`/ws/v1/stream/`: a person's own events, in the order of their log, and none left out."""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any, ClassVar, ParamSpec, TypeVar
from urllib.parse import parse_qs
from uuid import UUID

from django.utils import timezone

from tenants import connections, context, threads
from tenants.identity import Identity
from tenants.sockets import FAULTS, TRY_AGAIN, TenantConsumer, close_code
from trading.notifications import events, queries
from trading.notifications.queries import Place

Asked = ParamSpec("Asked")
Answer = TypeVar("Answer")
# Has the socket look by itself for what no message has told it of.
_LOOK: dict[str, Any] = {"events": (), "last": math.inf}


class EventStream(TenantConsumer):
    """What `events.publish` has stored, by the group's messages; what those skip, from the log.

    A client that was here before gives the `id` of the last message it has seen, as `last_id` in
    the query or beside the token, and gets all that came after. Where the log no longer goes back
    that far it is told to `resync`: to read again by REST what it shows.

    What is read from the log is charged to the tenant's server time, and told no faster than that
    allows: who comes back again and again with an old `last_id` is refused.
    """

    most_waiting: ClassVar[int] = 256  # messages of the group, while the client reads slowly
    seen = 0  # number of the last event that went out
    rest = 0.0  # seconds until more of the log may be read

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.inbox: asyncio.Queue[dict[str, Any]] = asyncio.Queue(self.most_waiting)

    async def joined(self, caller: Identity, opening: dict[str, Any]) -> None:
        # On their own account, whatever the role sees.
        self.where = replace(caller.personal_context(), is_read_only=True)
        last_id = str(opening.get("last_id") or self._in_query("last_id"))
        place, is_whole = await self._read(queries.resume, caller.user_id, last_id)
        self.seen = place.number
        await self.welcome(caller, last_id=str(place.id))
        if not is_whole:
            await self._have_resynced(place)
        self.inbox.put_nowait(_LOOK)
        self.start(self._send_on(caller.user_id))

    async def deliver(self, message: dict[str, Any]) -> None:
        """What `events.publish` sends to the group."""
        try:
            self.inbox.put_nowait(message)
        except asyncio.QueueFull:
            await self.end(TRY_AGAIN)

    async def rechecked(self) -> None:
        with contextlib.suppress(asyncio.QueueFull):
            self.inbox.put_nowait(_LOOK)

    async def _send_on(self, user_id: UUID) -> None:
        """All that is sent is sent from here, and so goes out in the log's order."""
        try:
            while not self.is_closed:
                message = await self.inbox.get()
                for number, event in message["events"]:
                    if number == self.seen + 1:
                        await self._tell(number, event)
                if message["last"] > self.seen:
                    await self.meter.awaiting(self._catch_up(user_id))
        except FAULTS as fault:
            await self.end(close_code(fault))
        finally:  # a socket that would stay silent for ever is none
            await self.end(TRY_AGAIN)

    async def _catch_up(self, user_id: UUID) -> None:
        """Send what is in the log and has not been sent."""
        while not self.is_closed:
            page = await self._read(queries.after, user_id, self.seen)
            if page is None:
                await self._have_resynced(await self._read(queries.end, user_id))
                return
            for event in page:
                await self._tell(event.number, events.as_message(event))
            if len(page) < queries.PAGE:
                return
            await asyncio.sleep(self.rest)

    async def _tell(self, number: int, event: dict[str, Any]) -> None:
        await self.send_json(event)
        self.seen = number

    async def _have_resynced(self, place: Place) -> None:
        """Something is missing and cannot be told any more; from `place` on all is told."""
        at = timezone.now().isoformat()
        await self._tell(
            place.number, {"type": "resync", "id": str(place.id), "at": at, "data": {}}
        )

    async def _read(
        self, ask: Callable[Asked, Answer], *args: Asked.args, **kwargs: Asked.kwargs
    ) -> Answer:
        """An answer of the database, inside the tenant, that is paid for."""
        tenant_id = self.where.tenant_id

        def inside() -> Answer:
            with self.meter.running(), connections.share(tenant_id), context.enter(self.where):
                return ask(*args, **kwargs)

        def paid() -> tuple[Answer, float]:
            return inside(), self.meter.pay()

        answer, self.rest = await threads.in_turn(tenant_id, paid)
        return answer

    def _in_query(self, name: str) -> str:
        query: bytes = self.scope.get("query_string", b"")
        return parse_qs(query.decode("latin-1")).get(name, [""])[-1]
