"""The tenants' cache: keys carry the tenant's id, and each tenant has a quota of its own.

Who writes over the quota loses own entries, the oldest written first; nobody else's. What has run
out no longer counts.
"""

from __future__ import annotations

import json
from functools import cache
from typing import Any
from uuid import UUID

from django.core.cache.backends.redis import RedisCache, RedisCacheClient

from tenants import context, limits, valkey

# Of each script the first four KEYS are the tenant's books: its keys by time written, and by time
# they run out, their sizes, and the total of those.
_BOOKS = """
local written, ending, sizes, total = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local function forget(key)
  redis.call('ZREM', written, key)
  redis.call('ZREM', ending, key)
  local size = redis.call('HGET', sizes, key)
  if size then
    redis.call('HDEL', sizes, key)
    redis.call('DECRBY', total, size)
  end
  return redis.call('UNLINK', key)
end
"""
# KEYS[5]: the entry. ARGV: value, milliseconds to live (0: for ever), quota in bytes, "1" to add
# only. An entry may have been given longer since it was written: so what runs out is asked for it.
_SET = f"""{_BOOKS}
if ARGV[4] == '1' and redis.call('EXISTS', KEYS[5]) == 1 then return 0 end
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
for _, key in ipairs(redis.call('ZRANGEBYSCORE', ending, '-inf', now, 'LIMIT', 0, 100)) do
  local lives = redis.call('PTTL', key)
  if lives == -2 then forget(key)
  elseif lives == -1 then redis.call('ZREM', ending, key)
  else redis.call('ZADD', ending, now + lives, key) end
end
forget(KEYS[5])
local size, quota = string.len(KEYS[5]) + string.len(ARGV[1]), tonumber(ARGV[3])
if size > quota then return -1 end
while size + tonumber(redis.call('GET', total) or '0') > quota do
  local oldest = redis.call('ZRANGE', written, 0, 0)[1]
  if not oldest then break end
  forget(oldest)
end
redis.call('INCRBY', total, size)
redis.call('HSET', sizes, KEYS[5], size)
redis.call('ZADD', written, string.format('%d%06d', clock[1], clock[2]), KEYS[5])
if ARGV[2] == '0' then redis.call('SET', KEYS[5], ARGV[1])
else
  redis.call('SET', KEYS[5], ARGV[1], 'PX', ARGV[2])
  redis.call('ZADD', ending, now + ARGV[2], KEYS[5])
end
return 1
"""
# KEYS from the fifth on: entries. Gives how many there were.
_FORGET = f"""{_BOOKS}
local removed = 0
for i = 5, #KEYS do removed = removed + forget(KEYS[i]) end
return removed
"""
_CLEAR = f"""{_BOOKS}
for _, key in ipairs(redis.call('ZRANGE', written, 0, -1)) do redis.call('UNLINK', key) end
return redis.call('DEL', written, ending, sizes, total)
"""


def tenant_key(key: str, _prefix: str, version: int) -> str:
    """Django's KEY_FUNCTION: `tenant:{id}:…`. Raises NoTenantContext outside a tenant."""
    return f"tenant:{context.require().tenant_id}:{version}:{key}"


def held_bytes(tenant_id: UUID) -> int:
    """How much of its quota a tenant has used. Raises ValkeyAway."""
    with valkey.needed() as client:
        *_, total = _books(tenant_id)
        return int(client.get(total) or 0)


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
    """Writes through the scripts above, so that counting and evicting are one step."""

    _serializer: JsonSerializer  # Django sets it, and its stubs leave it out

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
        return bool(self._run(_FORGET, [key], []))

    def delete_many(self, keys: Any) -> None:
        self._run(_FORGET, list(keys), [])

    def clear(self) -> bool:
        """The entered tenant's entries only; there is no way to clear everyone's."""
        return bool(self._run(_CLEAR, [], []))

    def _store(self, key: Any, value: Any, timeout: Any, *, add: bool) -> int:
        alive = 0 if timeout is None else int(timeout * 1000)
        packed = self._serializer.dumps(value)
        return self._run(_SET, [key], [packed, alive, limits.entered().cache_quota_bytes, int(add)])

    def _run(self, script: str, keys: list[Any], args: list[Any]) -> int:
        books = _books(context.require().tenant_id)
        client = self.get_client(None, write=True)
        return int(_registered(script)(keys=[*books, *keys], args=args, client=client))


class TenantCache(RedisCache):
    """The `default` cache."""

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        super().__init__(server, params)
        self._class = _QuotaClient


@cache
def _registered(script: str) -> Any:
    return valkey.client().register_script(script)


def _books(tenant_id: UUID) -> tuple[str, str, str, str]:
    """Keys by time written and by time they run out, sizes by key, total bytes."""
    start = f"tenant:{tenant_id}:"
    return f"{start}~index", f"{start}~ending", f"{start}~sizes", f"{start}~bytes"
