"""WebSockets inside a tenant: the token decides the tenant, groups carry its id."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import math
import time
from typing import Any, ClassVar
from uuid import UUID

from asgiref.sync import async_to_sync
from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncJsonWebsocketConsumer
from channels.layers import get_channel_layer

from config.api.errors import DomainError
from tenants import addressing, admission, identity, origin
from tenants.admission import Guest, SessionEnded
from tenants.errors import SecondFactorMissing, TenantMismatch
from tenants.identity import Identity

INVALID = 4400
UNAUTHENTICATED = 4401
FORBIDDEN = 4403
NOT_FOUND = 4404
TRY_AGAIN = 1013
_CLOSES = {403: FORBIDDEN, 404: NOT_FOUND, 429: TRY_AGAIN, 503: TRY_AGAIN}
_PROTOCOL = "bulkhead.token."
_LONGEST = 16_384  # characters of a message; a token has some hundreds


def user_group(tenant_id: UUID, user_id: UUID) -> str:
    """The channel-layer group of one person in one tenant; a digest, since names are short."""
    name = hashlib.sha256(f"{tenant_id}:{user_id}".encode()).hexdigest()
    return f"user.{name[:40]}"


def hang_up(tenant_id: UUID, user_id: UUID, session_id: UUID) -> None:
    """Close the sockets of a session that has ended."""
    message = {"type": "session.ended", "session": str(session_id)}
    async_to_sync(get_channel_layer().group_send)(user_group(tenant_id, user_id), message)


def credential_in(offered: list[str]) -> tuple[str, str] | None:
    """The sub-protocol that carries a token, and the token; a JWT alone is known by its dots."""
    for protocol in offered:
        if protocol.startswith(_PROTOCOL):
            return protocol, protocol.removeprefix(_PROTOCOL)
        if protocol.count(".") == 2:
            return protocol, protocol
    return None


def read_message(text: str | None) -> dict[str, Any] | None:
    """The JSON object of a message; None for anything else, however malformed."""
    if not text or len(text) > _LONGEST:
        return None
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return content if isinstance(content, dict) else None


class TenantConsumer(AsyncJsonWebsocketConsumer):  # type: ignore[misc]
    """A socket of one person in one tenant; nothing is sent before the token is verified.

    The token comes as sub-protocol, bare or as `bulkhead.token.<token>`, or in a first message
    `{"type": "authenticate", "token": …}` within `seconds_to_authenticate`.
    """

    seconds_to_authenticate: ClassVar[float] = 10.0
    seconds_between_checks: ClassVar[float] = 15.0
    caller: Identity | None = None
    is_closed = False
    # Closes strangers; once somebody is known, whoever may no longer stay.
    deadline: asyncio.Task[None] | None = None

    async def connect(self) -> None:
        found = credential_in(self.scope["subprotocols"])
        if found is None:
            await self.accept()
            self.deadline = asyncio.create_task(self._close_strangers())
            return
        protocol, token = found
        await self.accept(protocol)
        await self._authenticate(token)

    async def receive(self, text_data: str | None = None, bytes_data: Any = None) -> None:
        if self.is_closed:  # what was on its way before our close arrived there
            return
        content = read_message(text_data)
        if content is None:
            await self.close(INVALID)
        elif self.caller is None:
            await self._authenticate(str(content.get("token") or ""))
        else:
            await self.receive_message(content)

    async def receive_message(self, content: dict[str, Any]) -> None:
        """A message of a signed-in person; ignored unless a subclass wants it."""

    async def joined(self) -> None:
        """Called once the person is known and in the group."""

    async def session_ended(self, message: dict[str, Any]) -> None:
        """The group's word that a session is over; it may be that of another socket."""
        if self.caller is not None and str(self.caller.session_id) == message["session"]:
            await self.close(UNAUTHENTICATED)

    async def send_json(self, content: Any, *, close: Any = False) -> None:
        """Nothing goes out after our close, not even what the group has sent before it."""
        if not self.is_closed:
            await super().send_json(content, close=close)

    async def close(self, code: int | None = None, reason: str | None = None) -> None:
        """Once: the server takes a second close for a fault of the program."""
        if not self.is_closed:
            self.is_closed = True
            await super().close(code, reason)

    async def disconnect(self, code: int) -> None:
        self._call_off()
        if self.caller is not None:
            group = user_group(self.caller.tenant_id, self.caller.user_id)
            await self.channel_layer.group_discard(group, self.channel_name)

    async def _close_strangers(self) -> None:
        """A socket costs memory and a file descriptor: who holds one says who he is."""
        await asyncio.sleep(self.seconds_to_authenticate)
        with contextlib.suppress(OSError, RuntimeError):  # the client has gone just now
            await self.close(UNAUTHENTICATED)

    async def _close_outstayed(self, caller: Identity) -> None:
        """A token that has run out, a session that has ended, data that is locked: all end here.

        The group's word comes sooner; but it may get lost.
        """
        while True:
            ends = caller.expires_at or math.inf
            wait = min(self.seconds_between_checks, ends - time.time())
            await asyncio.sleep(max(0.0, wait))
            try:
                if ends <= time.time():
                    raise SessionEnded
                await database_sync_to_async(admission.recheck)(Guest.of(caller, address=""))
            except DomainError as error:
                with contextlib.suppress(OSError, RuntimeError):
                    await self.close(_CLOSES.get(error.status, UNAUTHENTICATED))
                return

    def _call_off(self) -> None:
        if self.deadline is not None:
            self.deadline.cancel()

    async def _authenticate(self, token: str) -> None:
        try:
            caller = await database_sync_to_async(self._let_in)(token)
        except DomainError as error:
            await self.close(_CLOSES.get(error.status, UNAUTHENTICATED))
        else:
            self.caller = caller
            self._call_off()
            self.deadline = asyncio.create_task(self._close_outstayed(caller))
            group = user_group(caller.tenant_id, caller.user_id)
            await self.channel_layer.group_add(group, self.channel_name)
            await self.send_json({"type": "authenticated", "tenant": str(caller.tenant_id)})
            await self.joined()

    def _let_in(self, token: str) -> Identity:
        """Who it is. Host and path must not name another tenant, and the door must let them in.

        Raises TenantMismatch, UnknownTenant, and what `identity` and `admission` raise.
        """
        headers = dict(self.scope["headers"])
        peer = (self.scope.get("client") or ("",))[0]
        forwarded = headers.get(b"x-forwarded-for", b"").decode("latin-1")
        client = origin.believed(peer, forwarded)
        caller = identity.verify(f"Bearer {token}", address=client)
        host = headers.get(b"host", b"").decode("latin-1")
        address = addressing.resolve(host, self.scope["path"])
        if address.tenant_id not in (None, caller.tenant_id):
            raise TenantMismatch
        admission.admit(Guest.of(caller, address=client), is_data=True)
        if caller.must_enrol:
            raise SecondFactorMissing
        if caller.is_witnessed:
            identity.witness(caller, method="CONNECT", path=self.scope["path"])
        return caller
