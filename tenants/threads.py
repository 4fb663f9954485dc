"""Threads in which sockets wait for the database: so many at a time are of one tenant, no more.

Channels would have one thread do it for all sockets of a process: whoever waits for a lock there,
as while a tenant is moved, would have everybody's wait.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import ParamSpec, TypeVar
from uuid import UUID
from weakref import WeakValueDictionary

from channels.db import database_sync_to_async
from django.conf import settings

_AT_ONCE = 32  # of a process

Asked = ParamSpec("Asked")
Answer = TypeVar("Answer")
_turns: WeakValueDictionary[UUID, asyncio.Semaphore] = WeakValueDictionary()


async def apart(ask: Callable[Asked, Answer], *args: Asked.args, **kwargs: Asked.kwargs) -> Answer:
    """For what enters no tenant. Its thread gives its database connection back."""
    call = database_sync_to_async(ask, thread_sensitive=False, executor=_threads())
    answer: Answer = await call(*args, **kwargs)
    return answer


async def in_turn(
    tenant_id: UUID, ask: Callable[Asked, Answer], *args: Asked.args, **kwargs: Asked.kwargs
) -> Answer:
    """For what enters one, and may wait for its lock: as many of its threads work at a time as it
    may have connections, and the rest waits here.

    A thread cannot be called off. Its turn ends when it does, though nobody may wait any more.
    """
    turn = _turns.get(tenant_id)
    if turn is None:
        turn = _turns[tenant_id] = asyncio.Semaphore(settings.CONNECTIONS_PER_TENANT)
    await turn.acquire()
    working = asyncio.ensure_future(apart(ask, *args, **kwargs))
    working.add_done_callback(lambda _: turn.release())
    return await asyncio.shield(working)


@cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="sockets")
