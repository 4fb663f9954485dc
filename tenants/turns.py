"""Tasks at a time: whatever a tenant has asked for, the workers are there for the others too."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any
from uuid import UUID

from tenants import slots, valkey
from tenants.slots import Slot
from tenants.valkey import ValkeyAway

# KEYS: the tenant's turns. ARGV: this one, how many there may be, milliseconds until it runs out.
_TAKE = """
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[2]) then return 0 end
redis.call('ZADD', KEYS[1], now + ARGV[3], ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1
"""


class Turn(Slot):
    """One task's: a slot, renewed and lost as those of requests are."""

    __slots__ = ()

    @property
    def key(self) -> str:
        return f"slots:tasks:{self.tenant_id}"

    def take(self, *, of: int) -> bool:
        """False where as many of the tenant's run already. Raises ValkeyAway."""
        args = [self.name, of, int(slots.LEASE * 1000)]
        with valkey.needed():
            is_taken = bool(_script()(keys=[self.key], args=args))
        if is_taken:
            self.hold()
        return is_taken

    def end(self) -> None:
        """Raises ValkeyAway."""
        with valkey.needed() as client:
            client.zrem(self.key, self.name)


@contextmanager
def taken(tenant_id: UUID, *, of: int) -> Iterator[bool]:
    """A turn for what is done inside, if one of so many is free; True too where Valkey is away.

    What was delivered is better done than lost.
    """
    turn = Turn(tenant_id)
    try:
        is_taken = turn.take(of=of)
    except ValkeyAway:
        yield True
        return
    try:
        yield is_taken
    finally:
        if is_taken:
            with contextlib.suppress(ValkeyAway):  # it runs out
                turn.end()


@cache
def _script() -> Any:
    return valkey.client().register_script(_TAKE)
