"""Open sockets are closed from elsewhere, by a word to the groups that they are in."""

from __future__ import annotations

import hashlib
from uuid import UUID

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer

from tenants import seats


def user_group(tenant_id: UUID, user_id: UUID) -> str:
    """The channel-layer group of one person in one tenant; a digest, since names are short."""
    name = hashlib.sha256(f"{tenant_id}:{user_id}".encode()).hexdigest()
    return f"user.{name[:40]}"


def on_session(tenant_id: UUID, user_id: UUID, session_id: UUID) -> None:
    """Of a session that has ended."""
    message = {"type": "session.ended", "session": str(session_id)}
    async_to_sync(get_channel_layer().group_send)(user_group(tenant_id, user_id), message)


def on_tenant(tenant_id: UUID) -> None:
    """All of a tenant whose rows are others now: clients come again, and read anew."""
    send = async_to_sync(get_channel_layer().group_send)
    for user_id in seats.holders(tenant_id):
        send(user_group(tenant_id, user_id), {"type": "tenant.restored"})
