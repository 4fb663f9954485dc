"""Server time: how long a tenant may keep the platform busy, whatever it asks for.

A bucket of milliseconds in Valkey, into which the plan's `server_ms_per_second` flow. What a
request has used is taken when it ends: processor time of its thread, and what its statements took
at the server; what goes on beside requests pays as it does (`metering`). The scripts of `door` and
`slots` look and take while they are asked something else; what all know of the bucket is here.
"""

from __future__ import annotations

from uuid import UUID

HELD = 5  # so many seconds' worth are held at most
# And owed at most: one long statement shuts nobody out for minutes.
OWED = 30
_KEPT_FROM_KEYS = 8  # of what is held, one part in so many is no API key's

# A bucket is what is left, less than nothing where some is owed, the millisecond of then, and what
# a request has cost lately. That much is laid by for each that is let in, until what it has used is
# known: else a full bucket would let in all that may be under way at a time.
LUA = f"""
local function time_left(key, pace, now)
  local kept = redis.call('HMGET', key, 'left', 'at', 'each')
  local fresh = math.max(0, now - tonumber(kept[2] or now)) * pace / 1000
  local left = math.max(tonumber(kept[1] or {HELD} * pace), -{OWED} * pace) + fresh
  return math.min(left, {HELD} * pace), tonumber(kept[3] or 0)
end
local function keep_time(key, left, now, each)
  redis.call('HSET', key, 'left', tostring(left), 'at', now, 'each', tostring(each))
  redis.call('PEXPIRE', key, 600000)
end
local function lay_by(key, left, now, each, pace)
  local reserved = math.floor(math.min(math.max(each, 10), {OWED} * pace))
  keep_time(key, left - reserved, now, each)
  return reserved
end
local function pay(key, pace, now, used)
  local left, each = time_left(key, pace, now)
  left = math.max(left - used, -{OWED} * pace)
  keep_time(key, left, now, each)
  return left
end
local function settle(key, pace, now, reserved, used)
  local left, each = time_left(key, pace, now)
  each = each > 0 and each + (used - each) / 5 or used
  keep_time(key, math.max(left + reserved - used, -{OWED} * pace), now, each)
end
"""


def key_of(tenant_id: UUID) -> str:
    return f"time:tenant:{tenant_id}"


def kept_from_keys(pace: int) -> int:
    """Milliseconds that no API key may use, so that people can stop their programs."""
    return HELD * pace // _KEPT_FROM_KEYS
