"""Which statements of a tenant took long: their shapes, how often and how long, never their values.

They are for the staff, and kept in Valkey, so many a tenant, a week long.
"""

from __future__ import annotations

import contextlib
import logging
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

from redis.exceptions import RedisError

from config.observing import metrics, work
from tenants import context, valkey

KEPT = 50  # shapes a tenant
_SECONDS = 7 * 24 * 60 * 60
# KEYS: the tenant's shapes by when they were last seen; the shape's own.
# ARGV: now, shape, what it was part of, milliseconds, how many are kept, for how many seconds.
_NOTE = """
redis.call('ZADD', KEYS[1], ARGV[1], KEYS[2])
redis.call('HSET', KEYS[2], 'shape', ARGV[2], 'work', ARGV[3], 'at', ARGV[1])
redis.call('HINCRBY', KEYS[2], 'times', 1)
redis.call('HINCRBYFLOAT', KEYS[2], 'total', ARGV[4])
local longest = tonumber(redis.call('HGET', KEYS[2], 'longest') or 0)
if tonumber(ARGV[4]) > longest then redis.call('HSET', KEYS[2], 'longest', ARGV[4]) end
redis.call('EXPIRE', KEYS[1], ARGV[6])
redis.call('EXPIRE', KEYS[2], ARGV[6])
local gone = redis.call('ZRANGE', KEYS[1], 0, -1 - ARGV[5])
for _, key in ipairs(gone) do
  redis.call('DEL', key)
  redis.call('ZREM', KEYS[1], key)
end
"""
_log = logging.getLogger("bulkhead.slow")


@dataclass(frozen=True, slots=True)
class SlowQuery:
    """A shape of statement that took long, and where it was last sent."""

    shape: str
    work: str  # the route or task
    times: int
    total_ms: float
    longest_ms: float
    last_at: datetime

    @property
    def average_ms(self) -> float:
        return round(self.total_ms / self.times, 1)


def note(shape: str, *, seconds: float) -> None:
    """Log and count one, and keep it for its tenant; a Valkey that is away keeps nothing."""
    name, entered = work.name(), context.current()
    _log.warning("%s took %.0fms: %s", name, seconds * 1000, shape)
    metrics.slow_statement(name)
    if entered is not None:
        with contextlib.suppress(RedisError):
            _keep(entered.tenant_id, shape, name, seconds * 1000)


def of(tenant_id: UUID) -> list[SlowQuery]:
    """A tenant's, what took longest in all first. Raises ValkeyAway."""
    with valkey.needed() as client:
        keys: Any = client.zrange(_index(tenant_id), 0, -1)
        pipeline = client.pipeline(transaction=False)
        for key in keys:
            pipeline.hgetall(key)
        rows = pipeline.execute()
    found = [_read(row) for row in rows if row]
    return sorted(found, key=lambda query: query.total_ms, reverse=True)


def _keep(tenant_id: UUID, shape: str, name: str, took_ms: float) -> None:
    """Raises RedisError."""
    digest = sha256(f"{name} {shape}".encode()).hexdigest()[:16]
    keys = (_index(tenant_id), f"{_index(tenant_id)}:{digest}")
    at = datetime.now(UTC).timestamp()
    valkey.client().eval(_NOTE, 2, *keys, at, shape, name, f"{took_ms:.1f}", KEPT, _SECONDS)


def _index(tenant_id: UUID) -> str:
    return f"slow:tenant:{tenant_id}"


def _read(row: dict[bytes, bytes]) -> SlowQuery:
    told = {name.decode(): value.decode(errors="replace") for name, value in row.items()}
    return SlowQuery(
        shape=told["shape"],
        work=told["work"],
        times=int(told["times"]),
        total_ms=round(float(told["total"]), 1),
        longest_ms=float(told["longest"]),
        last_at=datetime.fromtimestamp(float(told["at"]), UTC),
    )
