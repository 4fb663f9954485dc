"""WebSockets inside a tenant: the token decides the tenant, groups carry its id."""

from __future__ import annotations

import hashlib
from typing import Any
from uuid import UUID

from asgiref.sync import sync_to_async
from channels.generic.websocket import AsyncJsonWebsocketConsumer

from config.api.errors import DomainError
from tenants import addressing, identity
from tenants.errors import TenantMismatch
from tenants.identity import Identity

UNAUTHENTICATED = 4401
FORBIDDEN = 4403
NOT_FOUND = 4404
_PROTOCOL = "bulkhead.token."


def user_group(tenant_id: UUID, user_id: UUID) -> str:
    """The channel-layer group of one person in one tenant; a digest, since names are short."""
    name = hashlib.sha256(f"{tenant_id}:{user_id}".encode()).hexdigest()
    return f"user.{name[:40]}"


class TenantConsumer(AsyncJsonWebsocketConsumer):  # type: ignore[misc]
    """A socket of one person in one tenant; nothing is sent before the token is verified.

    The token comes as sub-protocol `bulkhead.token.<token>`, or in a first message
    `{"type": "authenticate", "token": …}`.
    """

    caller: Identity | None = None

    async def connect(self) -> None:
        offered = [p for p in self.scope["subprotocols"] if p.startswith(_PROTOCOL)]
        if not offered:
            await self.accept()
            return
        await self.accept(offered[0])
        await self._authenticate(offered[0].removeprefix(_PROTOCOL))

    async def receive_json(self, content: Any, **kwargs: Any) -> None:
        if self.caller is None:
            token = content.get("token") if isinstance(content, dict) else None
            await self._authenticate(str(token or ""))
            return
        await self.receive_message(content)

    async def receive_message(self, content: Any) -> None:
        """A message of a signed-in person; ignored unless a subclass wants it."""

    async def joined(self) -> None:
        """Called once the person is known and in the group."""

    async def disconnect(self, code: int) -> None:
        if self.caller is not None:
            group = user_group(self.caller.tenant_id, self.caller.user_id)
            await self.channel_layer.group_discard(group, self.channel_name)

    async def _authenticate(self, token: str) -> None:
        try:
            caller = identity.verify(f"Bearer {token}")
            await sync_to_async(self._check_address)(caller)
        except TenantMismatch:
            await self.close(FORBIDDEN)
        except DomainError as error:
            await self.close(NOT_FOUND if error.status == 404 else UNAUTHENTICATED)
        else:
            self.caller = caller
            group = user_group(caller.tenant_id, caller.user_id)
            await self.channel_layer.group_add(group, self.channel_name)
            await self.send_json({"type": "authenticated", "tenant": str(caller.tenant_id)})
            await self.joined()

    def _check_address(self, caller: Identity) -> None:
        """Host and path must not name another tenant. Raises TenantMismatch or UnknownTenant."""
        headers = dict(self.scope["headers"])
        host = headers.get(b"host", b"").decode("latin-1")
        address = addressing.resolve(host, self.scope["path"])
        if address.tenant_id not in (None, caller.tenant_id):
            raise TenantMismatch
