"""How many sockets a person has open in a tenant, counted in Valkey.

A seat that is not renewed runs out, so that those of a killed server do not count for ever.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any
from uuid import UUID

from django.conf import settings

from config.api.errors import DomainError
from tenants import valkey

_SECONDS = 60  # some times what passes between two checks of a socket
_KEYS_AT_A_TIME = 1_000

# KEYS: the person's seats, each with the second in which it runs out.
# ARGV: the seat, how many there may be, seconds until it runs out, "1" for one that is taken.
_TAKE = """
local now = tonumber(redis.call('TIME')[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
if ARGV[4] == '0' and redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[2]) then return 0 end
redis.call('ZADD', KEYS[1], now + ARGV[3], ARGV[1])
redis.call('EXPIRE', KEYS[1], ARGV[3])
return 1
"""


class TooManySockets(DomainError):
    code = "too_many_sockets"
    status = 429
    title = "This person has as many sockets open as one may. Close one first."


def take(tenant_id: UUID, user_id: UUID, seat: str) -> None:
    """For a socket that opens. Raises TooManySockets or ValkeyAway."""
    if not _ask(tenant_id, user_id, seat, is_taken=False):
        raise TooManySockets


def renew(tenant_id: UUID, user_id: UUID, seat: str) -> None:
    """For one that is open, also when Valkey has forgotten it. Raises ValkeyAway."""
    _ask(tenant_id, user_id, seat, is_taken=True)


def leave(tenant_id: UUID, user_id: UUID, seat: str) -> None:
    """Raises ValkeyAway."""
    with valkey.needed() as client:
        client.zrem(_key(tenant_id, user_id), seat)


def holders(tenant_id: UUID) -> Iterator[UUID]:
    """Whoever has a socket open in a tenant; all keys of Valkey are gone through. Raises
    ValkeyAway."""
    with valkey.needed() as client:
        for key in client.scan_iter(match=_key(tenant_id, "*"), count=_KEYS_AT_A_TIME):
            yield UUID(key.decode().rpartition(":")[2])


def _ask(tenant_id: UUID, user_id: UUID, seat: str, *, is_taken: bool) -> bool:
    args = [seat, settings.SOCKETS_PER_USER, _SECONDS, int(is_taken)]
    with valkey.needed():
        return bool(_script()(keys=[_key(tenant_id, user_id)], args=args))


def _key(tenant_id: UUID, user_id: UUID | str) -> str:
    return f"sockets:tenant:{tenant_id}:{user_id}"


@cache
def _script() -> Any:
    return valkey.client().register_script(_TAKE)
