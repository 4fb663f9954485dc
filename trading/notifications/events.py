"""Events for the person they concern: stored with what they tell of, sent once it is committed."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from asgiref.sync import async_to_sync
from channels.exceptions import ChannelFull
from channels.layers import get_channel_layer
from redis.exceptions import RedisError

from config.observing import metrics
from tenants import afterwards, context
from tenants.hanging_up import user_group
from trading.notifications import actions
from trading.notifications.models import Notification

_log = logging.getLogger("bulkhead.events")
_INLINE = 50  # events a message; of more a socket reads them from the log
Message = tuple[str, dict[str, Any]]  # the group, and what it is sent


@dataclass(frozen=True, slots=True)
class _Told:
    """An event; of a state, `about` says of which thing it is one."""

    event: Notification
    about: frozenset[tuple[str, str]] | None = None


def publish(*, user_id: UUID, kind: str, data: dict[str, Any], now: datetime) -> None:
    """Tell one person of the entered tenant; stands or falls with the transaction."""
    event = Notification(user_id=user_id, kind=kind, at=now, data=data)
    context.before_commit(_store, _Told(event))


def publish_state(
    *, user_id: UUID, kind: str, about: dict[str, str], state: dict[str, str], now: datetime
) -> None:
    """Tell one person how something stands: of one transaction, only the last word on it."""
    event = Notification(user_id=user_id, kind=kind, at=now, data={**about, **state})
    context.before_commit(_store, _Told(event, frozenset(about.items())))


def as_message(event: Notification) -> dict[str, Any]:
    """The event as sockets tell it."""
    return {
        "type": event.kind,
        "id": str(event.id),
        "at": event.at.isoformat(),
        "data": event.data,
    }


def _store(told: list[_Told]) -> None:
    tenant_id = context.require().tenant_id
    appended = actions.append(_last_words(told))
    messages = [
        (user_group(tenant_id, user_id), _message(own)) for user_id, own in appended.items()
    ]
    kinds = [event.kind for own in appended.values() for event in own]
    afterwards.do(partial(_count, kinds))
    afterwards.do(partial(_send, messages))


def _count(kinds: list[str]) -> None:
    for kind in kinds:
        metrics.event(kind)


def _last_words(told: list[_Told]) -> list[Notification]:
    """Without the states that were superseded before anybody could see them."""
    final = {(one.event.user_id, one.event.kind, one.about): one for one in told if one.about}
    last = {id(one) for one in final.values()}
    return [one.event for one in told if one.about is None or id(one) in last]


def _message(events: list[Notification]) -> dict[str, Any]:
    """Of one person, in order."""
    inline = events if len(events) <= _INLINE else []
    numbered = [(event.number, as_message(event)) for event in inline]
    return {"type": "deliver", "last": events[-1].number, "events": numbered}


def _send(messages: list[Message]) -> None:
    """The books are committed by now: what cannot be sent is logged, never raised.

    Sockets find it in the log, at the next message or when they look by themselves.
    """
    try:
        async_to_sync(_send_all)(messages)
    except (RedisError, OSError, ChannelFull) as fault:
        _log.warning("events were not sent: %s", type(fault).__name__)


async def _send_all(messages: Iterable[Message]) -> None:
    layer = get_channel_layer()
    for group, message in messages:
        await layer.group_send(group, message)
