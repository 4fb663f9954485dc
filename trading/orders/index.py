"""The open-order index in Valkey: which tenants' accounts a price concerns.

It only says whom to look up, so an entry too many does no harm, and one too few must not be: an
order is announced before its transaction commits, and before it asks what the market last did.
Whoever feeds stores a bar or tick first and asks the index after: so either the order is found
here, or the order has seen it.

What an order leaves is taken out after the commit, unless somebody has moved it again by then: each
move signs with a token of its own. All of it happens under the lock of the order's account.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cache, partial
from typing import Any, cast
from uuid import UUID

from tenants import afterwards, context, valkey
from tenants.identifiers import new_id
from tenants.valkey import MarkedScript
from trading.orders.levels import Levels

_COMPLETE = "open:complete"
# Scores are floats: they are moved outwards by more than a float can be wrong.
_OUTWARDS = Decimal("1e-12")
_SORTED = ("below", "above", "until")
_KINDS = ("next", *_SORTED)

# KEYS: complete, next, below, above, until. ARGV: low, high, end of the bar or tick.
# Gives false when the index was emptied or Valkey began anew, else the members that are concerned.
_TOUCHED = """
if redis.call('EXISTS', KEYS[1]) == 0 then return false end
local found = redis.call('SMEMBERS', KEYS[2])
for _, ask in ipairs({{KEYS[3], ARGV[1], '+inf'}, {KEYS[4], '-inf', ARGV[2]},
                      {KEYS[5], '-inf', ARGV[3]}}) do
  for _, member in ipairs(redis.call('ZRANGEBYSCORE', ask[1], ask[2], ask[3])) do
    found[#found + 1] = member
  end
end
return found
"""
_ASKING = MarkedScript(_TOUCHED)

# KEYS: signed, next, below, above, until. ARGV: member, token, kinds that it has left.
_TIDY = """
if redis.call('HGET', KEYS[1], ARGV[1]) ~= ARGV[2] then return 0 end
local place = {next = KEYS[2], below = KEYS[3], above = KEYS[4], ['until'] = KEYS[5]}
for i = 3, #ARGV do
  local command = ARGV[i] == 'next' and 'SREM' or 'ZREM'
  redis.call(command, place[ARGV[i]], ARGV[1])
end
if #ARGV == 6 then redis.call('HDEL', KEYS[1], ARGV[1]) end
return 1
"""


@dataclass(frozen=True, slots=True, order=True)
class Entry:
    """One open order, and where it is."""

    tenant_id: UUID
    account_id: UUID
    order_id: UUID

    @classmethod
    def read(cls, member: bytes) -> Entry:
        return cls(*(UUID(part) for part in member.decode().split(":")))

    @property
    def member(self) -> str:
        return f"{self.tenant_id}:{self.account_id}:{self.order_id}"


class Incomplete(Exception):
    """Valkey has lost the index, or may have: it has to be rebuilt before anything is matched."""


def entry(account_id: UUID, order_id: UUID) -> Entry:
    """Of the entered tenant."""
    return Entry(context.require().tenant_id, account_id, order_id)


def announce(symbol: str, entries: Iterable[Entry]) -> None:
    """Have the next bar or tick look at these orders, whatever it brings. Raises ValkeyAway."""
    move(symbol, {entry: Levels(at_once=True) for entry in entries})


def move(symbol: str, waiting: Mapping[Entry, Levels]) -> None:
    """Note where open orders wait from now on; what they leave goes after the commit.

    Raises ValkeyAway.
    """
    if not waiting:
        return
    token = str(new_id())
    with valkey.needed() as client:
        pipeline = client.pipeline(transaction=False)
        for entry, levels in waiting.items():
            pipeline.hset(_key(symbol, "signed"), entry.member, token)
            for kind, score in _scores(levels):
                if kind == "next":
                    pipeline.sadd(_key(symbol, kind), entry.member)
                else:
                    pipeline.zadd(_key(symbol, kind), {entry.member: score})
        pipeline.execute()
    left = {entry: _left(levels) for entry, levels in waiting.items()}
    afterwards.do(partial(_tidy, symbol, token, left))


def forget(symbol: str, entries: Iterable[Entry]) -> None:
    """Take out orders that have ended, once that is committed. Raises ValkeyAway."""
    move(symbol, {entry: Levels() for entry in entries})


def touched(symbol: str, *, low: Decimal, high: Decimal, end: datetime) -> list[Entry]:
    """Open orders that a bar or tick of these prices concerns. Raises Incomplete or ValkeyAway."""
    keys = [_COMPLETE, *(_key(symbol, kind) for kind in _KINDS)]
    found = _ASKING(keys=keys, args=[str(low), str(high), end.timestamp()])
    if found is None:
        raise Incomplete
    return sorted({Entry.read(member) for member in cast("list[bytes]", found)})


def begin() -> str:
    """Before every open order is put into the index; gives what `complete` wants.

    Raises ValkeyAway.
    """
    return _ASKING.begin()


def complete(*, begun: str) -> None:
    """Say that every open order of every tenant is in the index, if nothing was lost since `begin`.

    Raises ValkeyAway.
    """
    _ASKING.mark(_COMPLETE, begun=begun)


def drop(symbol: str, entries: Iterable[Entry]) -> None:
    """Take out what is no open order, as is known under its account's lock. Raises ValkeyAway."""
    members = [entry.member for entry in entries]
    if not members:
        return
    with valkey.needed() as client:
        pipeline = client.pipeline(transaction=False)
        pipeline.srem(_key(symbol, "next"), *members)
        pipeline.hdel(_key(symbol, "signed"), *members)
        for kind in _SORTED:
            pipeline.zrem(_key(symbol, kind), *members)
        pipeline.execute()


def misplaced(symbol: str, waiting: Mapping[Entry, Levels]) -> list[Entry]:
    """Those of these open orders that do not stand where they wait. Raises ValkeyAway."""
    if not waiting:
        return []
    members = [entry.member for entry in waiting]
    with valkey.needed() as client:
        pipeline = client.pipeline(transaction=False)
        pipeline.hmget(_key(symbol, "signed"), members)
        pipeline.smismember(_key(symbol, "next"), members)
        for kind in _SORTED:
            pipeline.zmscore(_key(symbol, kind), members)
        signed, at_once, *scores = pipeline.execute()
    places = [[0.0 if is_there else None for is_there in at_once], *scores]
    stands = [dict(zip(_KINDS, place, strict=True)) for place in zip(*places, strict=True)]
    nowhere = dict.fromkeys(_KINDS)
    return [
        entry
        for (entry, levels), token, stand in zip(waiting.items(), signed, stands, strict=True)
        if token is None or stand != {**nowhere, **dict(_scores(levels))}
    ]


def named(symbol: str) -> set[Entry]:
    """All that is anywhere in the index of one instrument, of every tenant. Raises ValkeyAway."""
    with valkey.needed() as client:
        members = {member for member, _ in client.hscan_iter(_key(symbol, "signed"))}
        members |= set(client.sscan_iter(_key(symbol, "next")))
        for kind in _SORTED:
            members |= {member for member, _ in client.zscan_iter(_key(symbol, kind))}
    return {Entry.read(member) for member in members}


def _left(levels: Levels) -> list[str]:
    """The kinds in which an order at these levels has nothing to look for."""
    kept = dict(_scores(levels))
    return [kind for kind in _KINDS if kind not in kept]


def _tidy(symbol: str, token: str, left: Mapping[Entry, list[str]]) -> None:
    keys = [_key(symbol, kind) for kind in ("signed", *_KINDS)]
    with valkey.needed() as client:
        pipeline = client.pipeline(transaction=False)
        for entry, kinds in left.items():
            _tidying()(keys=keys, args=[entry.member, token, *kinds], client=pipeline)
        pipeline.execute()


def _scores(levels: Levels) -> Iterator[tuple[str, float]]:
    if levels.at_once:
        yield "next", 0
    if levels.below is not None:
        yield "below", float(levels.below * (1 + _OUTWARDS))
    if levels.above is not None:
        yield "above", float(levels.above * (1 - _OUTWARDS))
    if levels.until is not None:
        yield "until", levels.until.timestamp()


def _key(symbol: str, kind: str) -> str:
    return f"open:{symbol}:{kind}"


@cache
def _tidying() -> Any:
    return valkey.client().register_script(_TIDY)
