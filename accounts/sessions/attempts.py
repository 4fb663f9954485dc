"""How often somebody may guess: counted per network, per account, and per both together.

A try is reserved before the secret is looked at, so that a thousand at once are no more than one
after the other; a right secret gives the reservation back, a wrong one leaves it counted. Whoever
is refused is not counted: asking on prolongs nothing. A count lasts for its window, from its first
failure. The answer is the same whether the account exists.

A *known* network is one from which the account has shown all its factors within 30 days. What
others do touches nobody who comes from there; who shares it has the pair's own count.

    known network and account     5 an hour free, then waits of 1, 2, 4 … 60 s
    new network and account       5 an hour free, then waits of 1, 2, 4 … 900 s
    new network, any account     50 an hour free, then waits of 1, 2, 4 … 900 s
    account, all new networks    10 a minute, then until that minute is over

So with networks without number 10 x 1440 = 14,400 passwords a day can be tried at an account, fewer
than the common ones that nobody may choose; from one new network some 430, from a known one 1,700.
Alice at a new network is told to wait 60 s at most. An attacker who is quick enough to take all ten
of every minute could still keep her out there, and no count can tell her from him: then the mail of
a reset can. Its link makes sure of her, and her network passes by the account's count for a while.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

from config.api.errors import DomainError
from tenants import origin, valkey

_KNOWN_FOR = 30 * 24 * 3600  # seconds that a network stays known after a log-in
_VOUCHED_FOR = 600  # seconds that a network stays known after a reset by mail


class Rule(NamedTuple):
    """How many tries are free; then the wait doubles with each further one. All in seconds."""

    free: int
    first: int
    longest: int
    window: int


_KNOWN_PAIR = Rule(5, 1, 60, 3600)
_PAIR = Rule(5, 1, 900, 3600)
_NETWORK = Rule(50, 1, 900, 3600)
_ACCOUNT = Rule(10, 60, 60, 60)

# KEYS: the mark of a known network, then the counters of pair, network and account.
# ARGV: four numbers for each of: a known pair, a new pair, network, account.
# Gives milliseconds to wait; with 0 it has counted, and then come, for each counter that it took
# from, since when that counts and until when it now refuses.
_RESERVE = """
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local known = redis.call('EXISTS', KEYS[1]) == 1
local last = known and 2 or 4
local function rule(i)
  local at = known and 0 or 4 * (i - 1)
  return tonumber(ARGV[at + 1]), ARGV[at + 2] * 1000, ARGV[at + 3] * 1000, ARGV[at + 4] * 1000
end
local wait = 0
for i = 2, last do
  local kept = redis.call('HMGET', KEYS[i], 'tries', 'until')
  if tonumber(kept[1] or 0) >= rule(i) then
    local rest = math.min(tonumber(kept[2] or 0) - now, redis.call('PTTL', KEYS[i]))
    wait = math.max(wait, rest)
  end
end
if wait > 0 then return {wait} end
local taken = {0}
for i = 2, last do
  local free, first, longest, window = rule(i)
  local tries, shut = redis.call('HINCRBY', KEYS[i], 'tries', 1), 0
  if tries == 1 then
    redis.call('HSET', KEYS[i], 'since', now)
    redis.call('PEXPIRE', KEYS[i], window)
  end
  if tries >= free then
    shut = now + math.min(longest, first * 2 ^ math.min(tries - free, 20))
    redis.call('HSET', KEYS[i], 'until', shut)
  end
  taken[#taken + 1] = tonumber(redis.call('HGET', KEYS[i], 'since'))
  taken[#taken + 1] = shut
end
return taken
"""

# KEYS: the mark, then the counters that were taken from. ARGV: for how many seconds the network is
# known from now on, or 0; then what the reservation was told of each counter.
_GIVE_BACK = """
for i = 2, #KEYS do
  local kept = redis.call('HMGET', KEYS[i], 'since', 'until')
  if kept[1] == ARGV[2 * i - 2] then
    if redis.call('HINCRBY', KEYS[i], 'tries', -1) <= 0 then
      redis.call('DEL', KEYS[i])
    elseif kept[2] == ARGV[2 * i - 1] then
      redis.call('HDEL', KEYS[i], 'until')
    end
  end
end
if ARGV[1] ~= '0' then
  redis.call('DEL', KEYS[2])
  redis.call('SET', KEYS[1], 1, 'EX', ARGV[1])
end
"""


class TooManyAttempts(DomainError):
    code = "too_many_attempts"
    status = 429
    title = "Too many failed attempts. Wait as long as Retry-After says."


@dataclass(frozen=True, slots=True)
class Reservation:
    """One try that has been counted, as a wrong one until it is given back."""

    keys: tuple[str, ...]  # the mark of a known network, then the counters
    told: tuple[int, ...]  # for each counter: since when it counts, until when it refuses

    @property
    def begins_a_wait(self) -> bool:
        """Whether the next try is refused for a while, unless this one is given back."""
        return any(self.told[1::2])


def reserve(*, account: str, address: str) -> Reservation:
    """Before a secret is looked at. Raises TooManyAttempts, or ValkeyAway."""
    keys = _keys(account, address)
    rules = (*_KNOWN_PAIR, *_PAIR, *_NETWORK, *_ACCOUNT)
    with valkey.needed():
        wait, *told = _scripts()["reserve"](keys=keys, args=rules)
    if wait > 0:
        raise TooManyAttempts(headers={"Retry-After": str(-(-wait // 1000))})
    return Reservation(keys[: 1 + len(told) // 2], tuple(told))


def give_back(reservation: Reservation) -> None:
    """The secret was not wrong: as if this try had never been. Raises ValkeyAway."""
    _give_back(reservation, known_for=0)


def forgive(reservation: Reservation) -> None:
    """All factors were shown: forget the pair's failures, know the network. Raises ValkeyAway."""
    _give_back(reservation, known_for=_KNOWN_FOR)


def vouch(*, account: str, address: str) -> None:
    """Their mailbox has made sure of somebody: know the network a while. Raises ValkeyAway."""
    mark, *_ = _keys(account, address)
    with valkey.needed() as client:
        client.set(mark, 1, ex=_VOUCHED_FOR, nx=True)


def _give_back(reservation: Reservation, *, known_for: int) -> None:
    with valkey.needed():
        _scripts()["give_back"](keys=reservation.keys, args=(known_for, *reservation.told))


def _keys(account: str, address: str) -> tuple[str, ...]:
    """Accounts by digest: nobody's email lies about in Valkey."""
    name = hashlib.sha256(account.lower().encode()).hexdigest()[:32]
    network = origin.network(address)
    pair = f"attempts:pair:{name}:{network}"
    return f"{pair}:known", pair, f"attempts:network:{network}", f"attempts:account:{name}"


@cache
def _scripts() -> dict[str, Any]:
    client = valkey.client()
    return {
        "reserve": client.register_script(_RESERVE),
        "give_back": client.register_script(_GIVE_BACK),
    }
