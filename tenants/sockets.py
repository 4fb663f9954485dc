"""WebSockets inside a tenant: the token decides the tenant, groups carry its id."""

from __future__ import annotations

import asyncio
import contextlib
import json
import math
import time
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, ClassVar
from uuid import UUID, uuid4

from channels.generic.websocket import AsyncJsonWebsocketConsumer
from django.db import DatabaseError
from redis.exceptions import RedisError

from config.api import problems
from config.api.errors import DomainError
from config.logs import request_id
from config.observing import metrics, tracing, work
from config.observing.work import Work
from tenants import admission, entrance, seats, threads
from tenants.admission import Guest, SessionEnded
from tenants.hanging_up import user_group
from tenants.identity import Identity
from tenants.metering import Meter
from tenants.seats import TooManySockets
from tenants.valkey import ValkeyAway

# Close codes. Who is told to try again, by 1013, may come back at once, or soon.
INVALID = 4400
UNAUTHENTICATED = 4401
FORBIDDEN = 4403
NOT_FOUND = 4404
TOO_MANY = 4429  # sockets of this person: close one first; or messages of this socket
TRY_AGAIN = 1013
_CLOSES = {403: FORBIDDEN, 404: NOT_FOUND, 429: TRY_AGAIN, 503: TRY_AGAIN}
# What a socket ends with: a no, servers that are away, a client that has gone.
FAULTS = (DomainError, DatabaseError, RedisError, OSError)
_LONGEST = 16_384  # characters of a message; a token has some hundreds


def read_message(text: str | None) -> dict[str, Any] | None:
    """The JSON object of a message; None for anything else, however malformed."""
    if not text or len(text) > _LONGEST:
        return None
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return content if isinstance(content, dict) else None


def close_code(fault: Exception) -> int:
    """How a client is told of one of `FAULTS`."""
    if isinstance(fault, TooManySockets):
        return TOO_MANY
    if isinstance(fault, DomainError):
        return _CLOSES.get(fault.status, UNAUTHENTICATED)
    return TRY_AGAIN


class TenantConsumer(AsyncJsonWebsocketConsumer):  # type: ignore[misc]  # it has no types
    """A socket of one person in one tenant; nothing is sent before the token is verified.

    The token comes as sub-protocol, bare or as `bulkhead.token.<token>`, or in a first message
    `{"type": "authenticate", "token": …}` within `seconds_to_authenticate`.
    """

    seconds_to_authenticate: ClassVar[float] = 10.0
    seconds_between_checks: ClassVar[float] = 15.0
    seconds_to_send: ClassVar[float] = 10.0
    messages_per_minute: ClassVar[int] = 60  # a client has hardly anything to say
    caller: Identity | None = None
    meter: Meter  # once there is a caller
    is_closed = False
    has_paid = False  # from the room of its address, before it has said who it is
    heard, minute_began = 0, -math.inf  # messages of the minute, and when that began

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.running: list[asyncio.Task[None]] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        # Done when not even our close gets through to the client.
        self.stuck = asyncio.get_running_loop().create_future()
        request_id.set(uuid4().hex)  # of this connection's task alone
        try:
            with work.doing(Work("socket")):
                await super().__call__(scope, partial(self._received, receive), send)
        except (RedisError, OSError) as fault:  # the channel layer is away, or the client
            await self.end(close_code(fault))
        finally:
            await self._leave()

    async def connect(self) -> None:
        found = entrance.credential_in(self.scope["subprotocols"])
        if found is None:
            await self._accept_stranger()
            return
        protocol, token = found
        await self.accept(protocol)
        await self._authenticate(token, {})

    async def receive(self, text_data: str | None = None, bytes_data: Any = None) -> None:
        if self.is_closed:  # what was on its way before our close arrived there
            return
        if self._is_too_much():
            await self.close(TOO_MANY)
            return
        content = read_message(text_data)
        if content is None:
            await self.close(INVALID)
        elif self.caller is None:
            await self._authenticate(str(content.get("token") or ""), content)
        else:
            await self.receive_message(content)

    async def receive_message(self, content: dict[str, Any]) -> None:
        """A message of a signed-in person; ignored unless a subclass wants it."""

    async def joined(self, caller: Identity, opening: dict[str, Any]) -> None:
        """Called once the person is known and in the group; `opening` came beside the token."""
        await self.welcome(caller)

    async def welcome(self, caller: Identity, **more: Any) -> None:
        """The first message, by which the client knows that it is in."""
        await self.send_json({"type": "authenticated", "tenant": str(caller.tenant_id), **more})

    async def rechecked(self) -> None:
        """Called every `seconds_between_checks`, while the person may stay."""

    async def session_ended(self, message: dict[str, Any]) -> None:
        """The group's word that a session is over; it may be that of another socket."""
        if self.caller is not None and str(self.caller.session_id) == message["session"]:
            await self.close(UNAUTHENTICATED)

    async def tenant_restored(self, _message: dict[str, Any]) -> None:
        """The group's word that the rows are others, and so perhaps the log that is told here."""
        await self.close(TRY_AGAIN)

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Do something beside receiving, until the socket ends."""
        self.running.append(asyncio.create_task(work))

    async def send_json(self, content: Any, *, close: Any = False) -> None:
        """Nothing goes out after our close, not even what the group has sent before it.

        A client that does not read makes us wait, and is closed when that takes too long.
        """
        if self.is_closed:
            return
        try:
            async with asyncio.timeout(self.seconds_to_send):
                await super().send_json(content, close=close)
        except TimeoutError:
            await self.close(TRY_AGAIN)

    async def close(self, code: int | None = None, reason: str | None = None) -> None:
        """Once: the server takes a second close for a fault of the program."""
        if self.is_closed:
            return
        self.is_closed = True
        try:
            async with asyncio.timeout(self.seconds_to_send):
                await super().close(code, reason)
        except TimeoutError:
            self.stuck.set_result(None)

    async def end(self, code: int) -> None:
        """Close a socket whose client may have gone just now."""
        with contextlib.suppress(OSError, RuntimeError):
            await self.close(code)

    async def _received(self, receive: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
        """What the client sends; once it is stuck, that it has gone."""
        coming = asyncio.ensure_future(receive())
        try:
            await asyncio.wait((coming, self.stuck), return_when=asyncio.FIRST_COMPLETED)
            if coming.done():
                return coming.result()
        finally:
            coming.cancel()
        return {"type": "websocket.disconnect", "code": TRY_AGAIN}

    async def _leave(self) -> None:
        """Whichever way the socket has ended: nothing goes on, and its seat is free."""
        self.is_closed = True
        self._call_off()
        if self.caller is None:
            return
        metrics.socket_closed()
        with contextlib.suppress(RedisError, OSError):  # both run out by themselves
            await self.channel_layer.group_discard(self._group(self.caller), self.channel_name)
        with contextlib.suppress(ValkeyAway):
            await threads.apart(self._give_back, self.caller)

    async def _accept_stranger(self) -> None:
        """Whoever brings no token takes from the room of the address with the socket itself."""
        try:
            await threads.apart(entrance.pay, self.scope)
        except FAULTS as fault:
            await self._refuse(fault)
            return
        self.has_paid = True
        await self.accept()
        self.start(self._close_strangers())

    async def _close_strangers(self) -> None:
        """A socket costs memory and a file descriptor: who holds one says who he is."""
        await asyncio.sleep(self.seconds_to_authenticate)
        await self.end(UNAUTHENTICATED)

    async def _look_after(self, caller: Identity) -> None:
        """A token that has run out, a session that has ended, data that is locked: all end here.

        The group's word comes sooner; but it may get lost.
        """
        ends = caller.expires_at or math.inf
        try:
            while True:
                wait = min(self.seconds_between_checks, ends - time.time())
                await asyncio.sleep(max(0.0, wait))
                if ends <= time.time():
                    raise SessionEnded
                await threads.apart(self._may_stay, caller)
                # Again, for a Valkey that has been emptied.
                await self.channel_layer.group_add(self._group(caller), self.channel_name)
                await self.rechecked()
                work.tell_of_it()
        except FAULTS as fault:
            await self.end(close_code(fault))

    def _may_stay(self, caller: Identity) -> None:
        """Raises what `admission.recheck` raises."""
        admission.recheck(Guest.of(caller, address=""))
        seats.renew(*self._seat(caller))

    def _give_back(self, caller: Identity) -> None:
        """Raises ValkeyAway."""
        self.meter.pay(step=0.0)
        seats.leave(*self._seat(caller))

    def _call_off(self) -> None:
        for task in self.running:
            task.cancel()
        self.running.clear()

    def _group(self, caller: Identity) -> str:
        return user_group(caller.tenant_id, caller.user_id)

    def _seat(self, caller: Identity) -> tuple[UUID, UUID, str]:
        return caller.tenant_id, caller.user_id, self.channel_name

    async def _authenticate(self, token: str, opening: dict[str, Any]) -> None:
        try:
            with tracing.span("socket", "server", request__id=request_id.get()):
                caller, self.meter = await threads.apart(self._let_in, token)
                self.caller = caller
                tracing.describe(
                    "socket", tenant__id=str(caller.tenant_id), user__id=str(caller.user_id)
                )
            metrics.socket_opened()
            self._call_off()
            self.start(self._look_after(caller))
            await self.channel_layer.group_add(self._group(caller), self.channel_name)
            await self.joined(caller, opening)
        except FAULTS as fault:
            await self.end(close_code(fault))

    def _let_in(self, token: str) -> tuple[Identity, Meter]:
        """Raises what `entrance.let_in` and `seats.take` raise."""
        caller, meter = entrance.let_in(token, self.scope, has_paid=self.has_paid)
        seats.take(*self._seat(caller))
        return caller, meter

    async def _refuse(self, fault: Exception) -> None:
        """By HTTP, before the handshake: after it a client may keep the connection for a while."""
        if "websocket.http.response" not in self.scope.get("extensions", {}):
            await self.close()
            return
        self.is_closed = True
        answer = problems.response(problems.from_exception(fault))
        headers = [(name.lower().encode(), value.encode()) for name, value in answer.items()]
        start = {"status": answer.status_code, "headers": headers}
        await self.base_send({"type": "websocket.http.response.start", **start})
        await self.base_send({"type": "websocket.http.response.body", "body": answer.content})

    def _is_too_much(self) -> bool:
        """Count one more message of this minute."""
        now = time.monotonic()
        if now - self.minute_began >= 60:
            self.minute_began, self.heard = now, 0
        self.heard += 1
        return self.heard > self.messages_per_minute
