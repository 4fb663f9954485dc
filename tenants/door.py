"""The door itself: ended sessions, locks, buckets, slots and counts, kept in Valkey, asked at once.

What the answers mean, and for whom, is admission's; here are keys and one script. It goes by
Valkey's own clock, and whoever is refused takes from no bucket, and no slot.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import cast
from uuid import UUID

from tenants import budget, slots, tally, valkey
from tenants.identifiers import new_id
from tenants.slots import Slot
from tenants.valkey import MarkedScript

_COMPLETE = "revoked:complete"
_LOCKED = "locked:platform"
_LIMITS = "limits:version"
_LEASE = int(slots.LEASE * 1000)

# KEYS: complete, lock of the platform, lock of the tenant, ended session, version of all limits,
# the tenant's slots, its server time, then the buckets.
# ARGV: "1" for a path that stays open under a lock; the name under which the request is counted,
# but for the hour, or ""; "1" for who takes from the buckets; how many of them bind whatever else
# has room, of which the last is the tenant's; the version that sizes and slots were read at, or "";
# how many slots there are, or "0" for who takes none; how much server time flows in a second; then
# for each bucket its size a minute; the slot to be taken, milliseconds until it runs out, and how
# much of the server time has to be left. The buckets that do not bind are shares of the tenant's:
# who has used theirs up goes on while the tenant's is more than half full.
# Gives: verdict, then size, what is left and milliseconds until full of the tightest bucket, then
# milliseconds: who is let in, of server time laid by for them; who is not, to wait.
_ADMIT = (
    budget.LUA
    + """
if redis.call('EXISTS', KEYS[1]) == 0 then return {'incomplete', 0, 0, 0, 0} end
if KEYS[4] ~= '' and redis.call('EXISTS', KEYS[4]) == 1 then return {'ended', 0, 0, 0, 0} end
if ARGV[1] == '0' and redis.call('EXISTS', KEYS[2], KEYS[3]) > 0 then
  return {'locked', 0, 0, 0, 0}
end
if ARGV[5] ~= '' and (redis.call('GET', KEYS[5]) or '-') ~= ARGV[5] then
  return {'changed', 0, 0, 0, 0}
end
if #KEYS < 8 then return {'welcome', 0, 0, 0, 0} end
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local function count(what)
  if ARGV[2] == '' then return end
  local hour = ARGV[2] .. math.floor(clock[1] / 3600)
  if redis.call('HINCRBY', hour, what, 1) == 1 then
    redis.call('EXPIRE', hour, 691200) -- 8 days
  end
end
local left, tightest, least = {}, nil, nil
local function size_of(i) return tonumber(ARGV[i]) end
local function empty(first, last)
  for i = first, last do if left[i] < 1 then return i end end
end
for i = 8, #KEYS do
  local kept = redis.call('HMGET', KEYS[i], 'left', 'at')
  local fresh = math.max(0, now - tonumber(kept[2] or now)) * size_of(i) / 60000
  left[i] = math.min(size_of(i), tonumber(kept[1] or size_of(i)) + fresh)
end
local bound, last = 7 + tonumber(ARGV[4]), #KEYS
local lack = empty(8, bound)
if not lack then
  lack = empty(bound + 1, last)
  if lack and left[bound] - 1 >= size_of(bound) / 2 then lack, last = nil, bound end
end
if lack then
  count('refused')
  local size = size_of(lack)
  local wait = math.ceil((1 - left[lack]) * 60000 / size)
  return {'full', size, 0, wait, wait}
end
for i = 8, last do
  local share = (left[i] - 1) / size_of(i)
  if not tightest or share < least then tightest, least = i, share end
end
local function refused(verdict, wait)
  count(verdict)
  local size, rest = size_of(tightest), left[tightest]
  return {verdict, size, math.floor(rest), math.ceil((size - rest) * 60000 / size), wait}
end
local slots, pace, time, each = tonumber(ARGV[6]), tonumber(ARGV[7]), 0, 0
if slots > 0 then
  time, each = time_left(KEYS[7], pace, now)
  local lacking = tonumber(ARGV[#ARGV]) - time
  if lacking >= 0 then return refused('overdrawn', math.floor(lacking * 1000 / pace) + 1) end
end
if slots > 0 and redis.call('ZCARD', KEYS[6]) >= slots then
  redis.call('ZREMRANGEBYSCORE', KEYS[6], '-inf', now)
  if redis.call('ZCARD', KEYS[6]) >= slots then return refused('crowded', 1000) end
end
local size = size_of(tightest)
if ARGV[3] == '0' then return {'welcome', size, math.floor(left[tightest]), 0, 0} end
for i = 8, last do
  redis.call('HSET', KEYS[i], 'left', tostring(left[i] - 1), 'at', now)
  redis.call('PEXPIRE', KEYS[i], 60000)
end
local reserved = 0
if slots > 0 then
  reserved = lay_by(KEYS[7], time, now, each, pace)
  redis.call('ZADD', KEYS[6], now + ARGV[#ARGV - 1], ARGV[#ARGV - 2])
  redis.call('PEXPIRE', KEYS[6], ARGV[#ARGV - 1])
end
count('admitted')
local rest = left[tightest] - 1
return {'welcome', size, math.floor(rest), math.ceil((size - rest) * 60000 / size), reserved}
"""
)
_ADMITTING = MarkedScript(_ADMIT)


@dataclass(frozen=True, slots=True)
class Room:
    """What is left of the tightest bucket, for the `RateLimit-*` headers."""

    size: int  # requests a minute
    left: int
    full_in: int  # seconds

    def headers(self) -> dict[str, str]:
        """Draft RFC `RateLimit header fields for HTTP`, as of its third edition.

        None where no bucket was asked.
        """
        if not self.size:
            return {}
        return {
            "RateLimit-Limit": str(self.size),
            "RateLimit-Remaining": str(self.left),
            "RateLimit-Reset": str(self.full_in),
        }


@dataclass(frozen=True, slots=True)
class Place:
    """What a request asks for besides room: a slot, of so many that its tenant has at a time.

    And server time, of which its plan gives `pace` milliseconds a second, and `spared` have to be
    left to others.
    """

    slot: Slot
    slots: int
    pace: int
    spared: int = 0


@dataclass(frozen=True, slots=True)
class Answer:
    """`millis`: of server time, that are laid by for who is let in; who is not waits so long."""

    verdict: str
    room: Room
    millis: int


def ask(
    *,
    tenant_id: UUID | None,
    session_id: UUID | None,
    buckets: Mapping[str, int],
    shares: Mapping[str, int],
    is_data: bool,
    is_counted: bool,
    takes: bool = True,
    version: str = "",
    place: Place | None = None,
) -> Answer:
    """One request, one round trip; `buckets` are sizes a minute by name, the tenant's comes last.

    `shares` are parts of the tenant's, kept for whoever has not used theirs up: beyond them a
    request takes from the tenant's alone, while that is more than half full.

    Without `takes` they are looked at, and keep what they have. With a `place` a slot is taken
    beside them, which `Slot.leave` gives back.

    One that `is_counted` is, for its tenant and the hour, among those that were let in or were
    refused.

    The verdict is `welcome`, `full` (a bucket is empty), `overdrawn` (server time is owed),
    `crowded` (no slot is free), `ended`, `locked`, `changed` when some limit has since `version`,
    or `incomplete` when Valkey has been emptied, or has started again, and has to be filled first.
    Raises ValkeyAway.
    """
    session = _ended(session_id) if session_id else ""
    own = (place.slot.key, budget.key_of(place.slot.tenant_id)) if place else ("", "")
    rooms = (*buckets, *shares)
    keys = [_COMPLETE, _LOCKED, _lock_of(tenant_id), session, _LIMITS, *own, *rooms]
    counted = tally.key_of(tenant_id) if tenant_id and is_counted else ""
    how = ("0" if is_data else "1", counted, "1" if takes else "0", len(buckets), version)
    most = (place.slots, place.pace) if place else (0, 0)
    sizes = (*buckets.values(), *shares.values())
    taken = (place.slot.name, _LEASE, place.spared) if place else ()
    found = _ADMITTING(keys=keys, args=[*how, *most, *sizes, *taken])
    verdict, size, left, full_in, millis = cast("tuple[bytes, int, int, int, int]", tuple(found))
    return Answer(verdict.decode(), Room(size, left, -(-full_in // 1000)), millis)


def limits_version() -> str:
    """Another one after every change of a limit; "-" until the first. Raises ValkeyAway."""
    with valkey.needed() as client:
        return cast("bytes", client.get(_LIMITS) or b"-").decode()


def limits_have_changed() -> None:
    """No process goes by limits that it remembers any more. Raises ValkeyAway."""
    with valkey.needed() as client:
        client.set(_LIMITS, new_id().hex)


def end(session_ids: Iterable[UUID], *, seconds: int) -> None:
    """Remember that these sessions have ended. Raises ValkeyAway."""
    with valkey.needed() as client:
        pipeline = client.pipeline(transaction=False)
        for session_id in session_ids:
            pipeline.set(_ended(session_id), 1, ex=seconds)
        pipeline.execute()


def lock(tenant_id: UUID | None) -> None:
    """Close the data of one tenant, or with None of all, until `unlock`. Raises ValkeyAway."""
    with valkey.needed() as client:
        client.set(_lock_of(tenant_id), 1)


def unlock(tenant_id: UUID | None) -> None:
    """Open it again. Raises ValkeyAway."""
    with valkey.needed() as client:
        client.delete(_lock_of(tenant_id))


def begin() -> str:
    """Before all that has ended or is locked is told to Valkey again; gives what `complete` wants.

    Raises ValkeyAway.
    """
    return _ADMITTING.begin()


def complete(*, begun: str) -> None:
    """Say that all that has ended or is locked is known here again, if none was lost since `begin`.

    Raises ValkeyAway.
    """
    _ADMITTING.mark(_COMPLETE, begun=begun)


def _ended(session_id: UUID) -> str:
    return f"revoked:session:{session_id}"


def _lock_of(tenant_id: UUID | None) -> str:
    return f"locked:tenant:{tenant_id}" if tenant_id else _LOCKED
