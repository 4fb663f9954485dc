"""At the door, before any database is asked: is the credential still good, is there room?

One script in Valkey answers both in one round trip, by Valkey's own clock: ended sessions, locks,
and a token bucket each for address, person, key and tenant. Whoever is refused takes from no
bucket. Without an answer the door stays closed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, cast
from uuid import UUID

from django.conf import settings
from django.utils.module_loading import import_string

from config.api.errors import DomainError
from tenants import limits, origin, valkey
from tenants.identity import Identity
from tenants.models import EmergencyLock

_COMPLETE = "revoked:complete"
_LOCKED = "locked:platform"

# KEYS: complete, lock of the platform, lock of the tenant, ended session, then the buckets.
# ARGV: "1" for a path that stays open under a lock, then for each bucket its size a minute.
# Gives: verdict, then size, what is left and milliseconds until full of the tightest bucket.
_ADMIT = """
if redis.call('EXISTS', KEYS[1]) == 0 then return {'incomplete', 0, 0, 0} end
if KEYS[4] ~= '' and redis.call('EXISTS', KEYS[4]) == 1 then return {'ended', 0, 0, 0} end
if ARGV[1] == '0' and redis.call('EXISTS', KEYS[2], KEYS[3]) > 0 then
  return {'locked', 0, 0, 0}
end
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local left, tightest, least = {}, nil, nil
for i = 5, #KEYS do
  local size = tonumber(ARGV[i - 3])
  local kept = redis.call('HMGET', KEYS[i], 'left', 'at')
  local fresh = math.max(0, now - tonumber(kept[2] or now)) * size / 60000
  left[i] = math.min(size, tonumber(kept[1] or size) + fresh)
  local share = (left[i] - 1) / size
  if not tightest or share < least then tightest, least = i, share end
end
if not tightest then return {'welcome', 0, 0, 0} end
local size = tonumber(ARGV[tightest - 3])
for i = 5, #KEYS do
  if left[i] < 1 then
    size = tonumber(ARGV[i - 3])
    return {'full', size, 0, math.ceil((1 - left[i]) * 60000 / size)}
  end
end
for i = 5, #KEYS do
  redis.call('HSET', KEYS[i], 'left', tostring(left[i] - 1), 'at', now)
  redis.call('PEXPIRE', KEYS[i], 60000)
end
local rest = left[tightest] - 1
return {'welcome', size, math.floor(rest), math.ceil((size - rest) * 60000 / size)}
"""


class SessionEnded(DomainError):
    code = "session_ended"
    status = 401
    title = "This session has ended. Log in again."


class TooManyRequests(DomainError):
    code = "too_many_requests"
    status = 429
    title = "Too many requests. Wait as long as Retry-After says."


class Locked(DomainError):
    code = "locked"
    status = 503
    title = "Data is locked for maintenance. Log-in and health stay open."


@dataclass(frozen=True, slots=True)
class Room:
    """What is left of the tightest bucket, for the `RateLimit-*` headers."""

    size: int  # requests a minute
    left: int
    full_in: int  # seconds

    def headers(self) -> dict[str, str]:
        """Draft RFC `RateLimit header fields for HTTP`, as of its third edition."""
        return {
            "RateLimit-Limit": str(self.size),
            "RateLimit-Remaining": str(self.left),
            "RateLimit-Reset": str(self.full_in),
        }


@dataclass(frozen=True, slots=True)
class Guest:
    """Who asks: an address always, and with a credential its session, person and tenant."""

    address: str
    tenant_id: UUID | None = None
    user_id: UUID | None = None
    session_id: UUID | None = None
    is_key: bool = False  # and `session_id` the API key's: it has a bucket of its own

    @classmethod
    def of(cls, caller: Identity, *, address: str) -> Guest:
        """Whoever a credential speaks for."""
        is_key = caller.key_scope is not None
        return cls(address, caller.tenant_id, caller.user_id, caller.session_id, is_key)


def admit(guest: Guest, *, is_data: bool) -> Room:
    """Let one request in. `is_data` is false for log-in, which stays open under a lock.

    Raises SessionEnded, Locked, TooManyRequests, or ValkeyAway.
    """
    verdict, *numbers = _ask(guest, is_data=is_data)
    if verdict == "incomplete":
        recall()
        verdict, *numbers = _ask(guest, is_data=is_data)
    if verdict == "welcome":
        return _room(*numbers)
    if verdict == "full":
        room = _room(*numbers)
        raise TooManyRequests(headers={**room.headers(), "Retry-After": str(room.full_in)})
    if verdict == "locked":
        raise Locked(headers={"Retry-After": "30"})
    raise SessionEnded


def recheck(guest: Guest) -> None:
    """Whether somebody who was let in may stay; takes from no bucket. Raises what `admit` does."""
    admit(Guest("", guest.tenant_id, None, guest.session_id), is_data=True)


def end(session_ids: list[UUID]) -> None:
    """No access token of these sessions is let in any more, from now on. Raises ValkeyAway."""
    if not session_ids:
        return
    with valkey.needed() as client:
        pipeline = client.pipeline(transaction=False)
        for session_id in session_ids:
            pipeline.set(_ended(session_id), 1, ex=settings.ACCESS_TOKEN_SECONDS + 60)
        pipeline.execute()


def recall() -> None:
    """Fill an empty Valkey with what the database knows to have ended. Raises ValkeyAway."""
    lately = cast(Callable[[], list[UUID]], import_string(settings.TENANT_ENDED_SESSIONS))
    end(lately())
    for tenant_id in EmergencyLock.objects.values_list("tenant_id", flat=True):
        lock(tenant_id)
    with valkey.needed() as client:
        client.set(_COMPLETE, 1)


def lock(tenant_id: UUID | None) -> None:
    """Close the data of one tenant, or with None of all, until `unlock`. Raises ValkeyAway."""
    with valkey.needed() as client:
        client.set(_lock_of(tenant_id), 1)


def unlock(tenant_id: UUID | None) -> None:
    """Open it again. Raises ValkeyAway."""
    with valkey.needed() as client:
        client.delete(_lock_of(tenant_id))


def _ask(guest: Guest, *, is_data: bool) -> list[Any]:
    buckets = _buckets(guest)
    session = _ended(guest.session_id) if guest.session_id else ""
    keys = [_COMPLETE, _LOCKED, _lock_of(guest.tenant_id), session, *buckets]
    with valkey.needed():
        answer = _script()(keys=keys, args=["0" if is_data else "1", *buckets.values()])
    verdict, *numbers = cast("list[Any]", answer)
    return [verdict.decode(), *numbers]


def _buckets(guest: Guest) -> dict[str, int]:
    """Name and size of each bucket that the request takes from."""
    found: dict[str, int] = {}
    if guest.address:
        network = origin.network(guest.address)
        found[f"rate:address:{network}"] = settings.ADDRESS_REQUESTS_PER_MINUTE
    if guest.tenant_id and guest.user_id:
        size = limits.of(guest.tenant_id).requests_per_minute
        share = max(1, int(size * settings.PERSON_SHARE_OF_REQUESTS))
        found[f"rate:tenant:{guest.tenant_id}"] = size
        found[f"rate:tenant:{guest.tenant_id}:{guest.user_id}"] = share
        if guest.is_key:
            found[f"rate:tenant:{guest.tenant_id}:{guest.session_id}"] = share
    return found


def _room(size: int, left: int, full_in: int) -> Room:
    return Room(int(size), int(left), -(-int(full_in) // 1000))


def _ended(session_id: UUID) -> str:
    return f"revoked:session:{session_id}"


def _lock_of(tenant_id: UUID | None) -> str:
    return f"locked:tenant:{tenant_id}" if tenant_id else _LOCKED


@cache
def _script() -> Any:
    return valkey.client().register_script(_ADMIT)
