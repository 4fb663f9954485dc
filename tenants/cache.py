"""The tenants' cache: keys carry the tenant's id, and each tenant has a quota of its own.

Who writes over the quota loses own entries, the oldest written first; nobody else's.
"""

from __future__ import annotations

import json
import time
from typing import Any

from django.core.cache.backends.redis import RedisCache, RedisCacheClient

from tenants import context, limits

# KEYS: the entry, the tenant's index of keys by time written, its sizes by key, its total.
# ARGV: value, milliseconds to live (0: for ever), quota in bytes, now, "1" to add only.
_SET = """
if ARGV[5] == '1' and redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
local size = string.len(KEYS[1]) + string.len(ARGV[1])
local quota = tonumber(ARGV[3])
local before = tonumber(redis.call('HGET', KEYS[3], KEYS[1]) or '0')
if size > quota then return -1 end
local total = redis.call('INCRBY', KEYS[4], size - before)
while total > quota do
  local oldest = redis.call('ZRANGE', KEYS[2], 0, 0)[1]
  if not oldest then break end
  redis.call('ZREM', KEYS[2], oldest)
  if oldest ~= KEYS[1] then
    local freed = tonumber(redis.call('HGET', KEYS[3], oldest) or '0')
    redis.call('HDEL', KEYS[3], oldest)
    redis.call('UNLINK', oldest)
    total = redis.call('DECRBY', KEYS[4], freed)
  end
end
redis.call('ZADD', KEYS[2], ARGV[4], KEYS[1])
redis.call('HSET', KEYS[3], KEYS[1], size)
if ARGV[2] == '0' then redis.call('SET', KEYS[1], ARGV[1])
else redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2]) end
return 1
"""


def tenant_key(key: str, _prefix: str, version: int) -> str:
    """Django's KEY_FUNCTION: `tenant:{id}:…`. Raises NoTenantContext outside a tenant."""
    return f"tenant:{context.require().tenant_id}:{version}:{key}"


class JsonSerializer:
    """For both caches: what is read from Valkey is data, never code, whoever wrote it.

    `dumps` raises TypeError for what JSON does not have; lists come back for tuples. What is no
    JSON is as good as absent.
    """

    def dumps(self, value: Any) -> str:
        return json.dumps(value)

    def loads(self, packed: bytes) -> Any:
        try:
            return json.loads(packed)
        except ValueError:
            return None


class _QuotaClient(RedisCacheClient):
    """Sets through the script above, so that counting and evicting are one step."""

    def set(self, key: Any, value: Any, timeout: Any) -> None:
        if timeout == 0:
            self.delete(key)
        else:
            self._store(key, value, timeout, add=False)

    def add(self, key: Any, value: Any, timeout: Any) -> bool:
        if timeout == 0:
            return False
        return self._store(key, value, timeout, add=True) == 1

    def set_many(self, data: Any, timeout: Any) -> None:
        for key, value in data.items():
            self.set(key, value, timeout)

    def delete(self, key: Any) -> bool:
        return self._forget([key])

    def delete_many(self, keys: Any) -> None:
        self._forget(keys)

    def _forget(self, keys: Any) -> bool:
        """Remove entries and what was counted for them; True when one was there."""
        index, sizes, total = _books()
        client = self.get_client(None, write=True)
        removed = 0
        for key in keys:
            removed += client.delete(key)
            size = client.hget(sizes, key)
            if size and client.hdel(sizes, key):
                client.decrby(total, int(size))
            client.zrem(index, key)
        return bool(removed)

    def clear(self) -> bool:
        """The entered tenant's entries only; there is no way to clear everyone's."""
        index, *_ = books = _books()
        client = self.get_client(None, write=True)
        keys = client.zrange(index, 0, -1)
        return bool(client.delete(*keys, *books))

    def _store(self, key: Any, value: Any, timeout: Any, *, add: bool) -> int:
        client = self.get_client(key, write=True)
        alive = 0 if timeout is None else timeout * 1000
        quota = limits.of(context.require().tenant_id).cache_quota_bytes
        keys = [key, *_books()]
        packed = self._serializer.dumps(value)  # type: ignore[attr-defined]
        return int(client.eval(_SET, 4, *keys, packed, alive, quota, time.time(), int(add)))


class TenantCache(RedisCache):
    """The `default` cache."""

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        super().__init__(server, params)
        self._class = _QuotaClient


def _books() -> tuple[str, str, str]:
    """Where the tenant's use is counted: index by time, sizes by key, total bytes."""
    start = f"tenant:{context.require().tenant_id}:"
    return f"{start}~index", f"{start}~sizes", f"{start}~bytes"
