"""`/ws/v1/stream/`: a person's own events, as they happen."""

from __future__ import annotations

from typing import Any

from tenants.sockets import TenantConsumer


class EventStream(TenantConsumer):
    """Delivers what `events.publish` sends to the caller's group."""

    async def deliver(self, message: dict[str, Any]) -> None:
        await self.send_json(message["event"])
