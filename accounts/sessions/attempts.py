"""How often somebody may guess: counted per address, per account, and per both together.

A stranger who guesses at Alice's account shuts out his own address, not her: an address from which
she has signed in lately is counted apart. The answer is the same whether the account exists.
"""

from __future__ import annotations

import hashlib
from functools import cache
from typing import Any

from config.api.errors import DomainError
from tenants import valkey

_KNOWN_FOR = 30 * 24 * 3600  # seconds that an address stays known after a log-in
_WINDOW = 3600  # seconds after the last failure that failures are remembered

# Failures that are free, then the wait in seconds doubles with each further one up to the longest.
_PAIR = (5, 900)
_ADDRESS = (50, 900)
_ACCOUNT = (100, 60)

# KEYS: the counters. ARGV: for each, what is free and the longest wait. Gives seconds to wait.
_WAIT = """
local wait = 0
for i, key in ipairs(KEYS) do
  if redis.call('EXISTS', key .. ':shut') == 1 then
    wait = math.max(wait, redis.call('PTTL', key .. ':shut'))
  end
end
return math.ceil(wait / 1000)
"""
_FAIL = """
for i, key in ipairs(KEYS) do
  local failures = redis.call('INCR', key)
  redis.call('EXPIRE', key, ARGV[1])
  local free, longest = tonumber(ARGV[2 * i]), tonumber(ARGV[2 * i + 1])
  if failures >= free then
    local wait = math.min(longest, 2 ^ math.min(failures - free, 20))
    redis.call('SET', key .. ':shut', 1, 'EX', wait)
  end
end
"""


class TooManyAttempts(DomainError):
    code = "too_many_attempts"
    status = 429
    title = "Too many failed attempts. Wait as long as Retry-After says."


def check(*, account: str, address: str) -> None:
    """Before a secret is looked at. Raises TooManyAttempts, or ValkeyAway."""
    with valkey.needed() as client:
        counters = _counters(client, account, address)
        wait = int(_scripts()["wait"](keys=list(counters)))
    if wait > 0:
        raise TooManyAttempts(headers={"Retry-After": str(wait)})


def failed(*, account: str, address: str) -> None:
    """Count a wrong secret. Raises ValkeyAway."""
    with valkey.needed() as client:
        counters = _counters(client, account, address)
        numbers = [number for pair in counters.values() for number in pair]
        _scripts()["fail"](keys=list(counters), args=[_WINDOW, *numbers])


def succeeded(*, account: str, address: str) -> None:
    """Forget the pair's failures, and know the address from now on. Raises ValkeyAway."""
    pair = _pair(account, address)
    with valkey.needed() as client:
        client.delete(pair, f"{pair}:shut")
        client.set(f"{pair}:known", 1, ex=_KNOWN_FOR)


def _counters(client: Any, account: str, address: str) -> dict[str, tuple[int, int]]:
    """What counts for this attempt: an address that the account knows stands for itself."""
    pair = _pair(account, address)
    counters = {pair: _PAIR}
    if not client.exists(f"{pair}:known"):
        counters[f"attempts:address:{address}"] = _ADDRESS
        counters[f"attempts:account:{_name(account)}"] = _ACCOUNT
    return counters


def _pair(account: str, address: str) -> str:
    return f"attempts:pair:{_name(account)}:{address}"


def _name(account: str) -> str:
    """Accounts by digest: nobody's email lies about in Valkey."""
    return hashlib.sha256(account.lower().encode()).hexdigest()[:32]


@cache
def _scripts() -> dict[str, Any]:
    client = valkey.client()
    return {"wait": client.register_script(_WAIT), "fail": client.register_script(_FAIL)}
