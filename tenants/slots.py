"""Requests at a time: each of a tenant's holds a slot of the plan's, from the door to its end.

The door's script takes it, in the same round trip (`tenants/door.py`); it is given back here, and
so is what there is to count of the request. A slot runs out by itself unless it is renewed: those
of a process that was killed, or whose Valkey was away, are free again after `LEASE`.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterable
from functools import cache
from os import urandom
from threading import Thread
from typing import Any
from uuid import UUID
from weakref import WeakValueDictionary

from config.observing import work
from tenants import budget, tally, valkey
from tenants.metering import Meter
from tenants.valkey import ValkeyAway

LEASE = 30.0  # seconds
_RENEWED_EVERY = 10.0  # seconds; most requests are over long before

# KEYS: the tenant's slots, its server time.
# ARGV: the slot; under which name requests are counted, but for the hour; how much server time
# flows in a second, what was laid by for the request, what it has used; fields that count one.
_LEAVE = (
    budget.LUA
    + """
redis.call('ZREM', KEYS[1], ARGV[1])
local clock = redis.call('TIME')
local pace = tonumber(ARGV[3])
if pace > 0 then
  local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
  settle(KEYS[2], pace, now, tonumber(ARGV[4]), tonumber(ARGV[5]))
end
local hour = ARGV[2] .. math.floor(clock[1] / 3600)
for i = 6, #ARGV do
  if redis.call('HINCRBY', hour, ARGV[i], 1) == 1 then
    redis.call('EXPIRE', hour, 691200) -- 8 days
  end
end
"""
)
# KEYS: slots of tenants. ARGV: milliseconds until they run out; for each key the slot in it.
# One that has been given back meanwhile stays away.
_RENEW = """
local clock = redis.call('TIME')
local ends = clock[1] * 1000 + math.floor(clock[2] / 1000) + ARGV[1]
for i, key in ipairs(KEYS) do
  redis.call('ZADD', key, 'XX', ends, ARGV[i + 1])
  redis.call('PEXPIRE', key, ARGV[1])
end
"""


class Slot:
    """One request's. Whoever holds the object keeps it renewed; dropped, it runs out."""

    __slots__ = (
        *("__weakref__", "_cpu", "_streamed", "_work"),
        *("name", "pace", "reserved", "since", "tenant_id"),
    )

    def __init__(self, tenant_id: UUID) -> None:
        self.tenant_id = tenant_id
        self.name = urandom(8).hex()
        self.since = time.monotonic()
        self.pace = self.reserved = 0
        self._work, self._cpu = work.current(), time.thread_time()
        self._streamed: Meter | None = None

    @property
    def key(self) -> str:
        return key_of(self.tenant_id)

    def hold(self, *, pace: int = 0, reserved: int = 0) -> None:
        """It was taken: have it renewed for as long as it is held.

        Of the tenant's server time, which flows at a `pace`, so much was laid by for it.
        """
        self.pace, self.reserved = pace, reserved
        _held[self.name] = self
        _renewing()

    def streams(self) -> Meter:
        """What comes after its answer has begun, by other threads: it is paid for as it goes on.

        What is not when the stream ends, or its reader has gone, the slot pays at its end.
        """
        self._streamed = Meter(self.tenant_id, self.pace)
        return self._streamed

    def leave(self, status: int) -> None:
        """Give it back, take what it has used, and count it with its length and its status.

        For the thread that has made it, at the end of its work. Without Valkey it runs out, and the
        answer goes out all the same.
        """
        fields = [tally.took(time.monotonic() - self.since)]
        if ended := tally.ended(status):
            fields.append(ended)
        with contextlib.suppress(ValkeyAway), valkey.needed():
            _script(_LEAVE)(
                keys=[self.key, budget.key_of(self.tenant_id)],
                args=[self.name, tally.key_of(self.tenant_id), *self._time(), *fields],
            )

    def _time(self) -> tuple[int, int, int]:
        """Of the tenant's: its pace, what was laid by, and what was used, in milliseconds."""
        used = max(0.0, time.thread_time() - self._cpu)
        if self._work is not None:
            used += self._work.server_seconds
        if self._streamed is not None:
            used += self._streamed.unpaid
        return self.pace, self.reserved, round(used * 1000)


_held: WeakValueDictionary[str, Slot] = WeakValueDictionary()


def key_of(tenant_id: UUID) -> str:
    """A sorted set: each slot with the millisecond, by Valkey's clock, in which it runs out."""
    return f"slots:tenant:{tenant_id}"


def taken(tenant_id: UUID) -> int:
    """How many of a tenant's requests are under way. Raises ValkeyAway."""
    with valkey.needed() as client:
        seconds, micros = client.time()
        now = seconds * 1000 + micros // 1000
        return int(client.zcount(key_of(tenant_id), now, "+inf"))


def renew(slots: Iterable[Slot]) -> None:
    """For requests that take long. Raises ValkeyAway."""
    if named := {slot.name: slot.key for slot in slots}:
        with valkey.needed():
            _script(_RENEW)(keys=list(named.values()), args=[int(LEASE * 1000), *named])


@cache
def _renewing() -> Thread:
    """One thread of the process, from its first request on."""
    thread = Thread(target=_renew_for_ever, name="slots", daemon=True)
    thread.start()
    return thread


def _renew_for_ever() -> None:
    while True:
        time.sleep(_RENEWED_EVERY)
        with contextlib.suppress(ValkeyAway):
            renew(_old())


def _old() -> list[Slot]:
    """Held by requests that take long; `valuerefs` gives a copy, whoever comes and goes."""
    before = time.monotonic() - _RENEWED_EVERY
    held = [reference() for reference in _held.valuerefs()]
    return [slot for slot in held if slot is not None and slot.since < before]


@cache
def _script(text: str) -> Any:
    return valkey.client().register_script(text)
