"""Events for the person they concern, sent once the transaction has committed."""

from __future__ import annotations

import logging
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from asgiref.sync import async_to_sync
from channels.exceptions import ChannelFull
from channels.layers import get_channel_layer
from django.db import transaction
from redis.exceptions import RedisError

from tenants import context
from tenants.identifiers import new_id
from tenants.sockets import user_group

_log = logging.getLogger("bulkhead.events")


def publish(*, user_id: UUID, kind: str, data: dict[str, Any], now: datetime) -> None:
    """Tell one person of the entered tenant; nothing is sent when the transaction fails."""
    group = user_group(context.require().tenant_id, user_id)
    event = {"type": kind, "id": str(new_id()), "at": now.isoformat(), "data": data}
    transaction.on_commit(partial(_send, group, event))


def _send(group: str, event: dict[str, Any]) -> None:
    """The books are committed by now: an event that cannot be sent is logged, never raised."""
    layer = get_channel_layer()
    try:
        async_to_sync(layer.group_send)(group, {"type": "deliver", "event": event})
    except (RedisError, OSError, ChannelFull) as fault:
        _log.warning("event %s was not sent: %s", event["id"], type(fault).__name__)
