"""A tenant's requests by the hour, in Valkey: let in, refused, how long they took, how they ended.

The scripts of `door` and `slots` count, while they are asked something else; here are the names.
What is refused in front of them (`refusals`) is told once a second.
"""

from __future__ import annotations

import contextlib
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from uuid import UUID

from tenants import valkey
from tenants.valkey import ValkeyAway

# Milliseconds: a request is counted under the least that it did not exceed, or else the last.
BOUNDS = (
    *(1, 2, 3, 5, 7, 10, 15, 20, 30, 50, 70, 100, 150, 200, 300, 500, 700),
    *(1_000, 1_500, 2_000, 3_000, 5_000, 7_000, 10_000, 20_000, 60_000, 600_000),
)
_TOOK = "took:"
_FIELDS = tuple(f"{_TOOK}{bound}" for bound in BOUNDS)
_AT_THE_DOOR = ("admitted", "refused", "overdrawn", "crowded")
DENIED, FAILED = "denied", "failed"  # answers from 400, and from 500
_CUT_OFF = "cut_off"
# ARGV: by threes the name under which requests are counted, but for the hour; the field; how many.
_ADD = """
local hour = math.floor(redis.call('TIME')[1] / 3600)
for i = 1, #ARGV, 3 do
  local key = ARGV[i] .. hour
  if redis.call('HINCRBY', key, ARGV[i + 1], ARGV[i + 2]) == tonumber(ARGV[i + 2]) then
    redis.call('EXPIRE', key, 691200) -- 8 days
  end
end
"""


@dataclass(frozen=True, slots=True)
class Count:
    """A tenant's requests of one hour.

    `admitted` were let in; `refused` had no room in a bucket, `overdrawn` no server time left,
    `crowded` too many others beside them. Of those that were let in and are over, `denied` were
    answered 4xx and `failed` 5xx, and `took` counts them by `BOUNDS`. `cut_off` are statements, of
    requests or tasks, that took longer than the plan allows.
    """

    admitted: int = 0
    refused: int = 0
    overdrawn: int = 0
    crowded: int = 0
    denied: int = 0
    failed: int = 0
    took: Mapping[int, int] = field(default_factory=dict)
    cut_off: int = 0

    def __add__(self, other: Count) -> Count:
        return Count(
            self.admitted + other.admitted,
            self.refused + other.refused,
            self.overdrawn + other.overdrawn,
            self.crowded + other.crowded,
            self.denied + other.denied,
            self.failed + other.failed,
            Counter(self.took) + Counter(other.took),
            self.cut_off + other.cut_off,
        )

    def within(self, share: float) -> int | None:
        """Milliseconds that this share of the requests did not exceed, as one of `BOUNDS`.

        None where no request is over yet.
        """
        wanted, seen = share * sum(self.took.values()), 0
        for bound in sorted(self.took):
            seen += self.took[bound]
            if seen >= wanted:
                return bound
        return None


def key_of(tenant_id: UUID) -> str:
    """Where a tenant's counts are kept, but for the hour (since the epoch) that follows it."""
    return f"usage:tenant:{tenant_id}:"


def took(seconds: float) -> str:
    """The field that counts a request of this length."""
    return _FIELDS[min(bisect_left(BOUNDS, seconds * 1000), len(_FIELDS) - 1)]


def ended(status: int) -> str:
    """The field that counts an answer of this status; "" where none does."""
    if status < 400:
        return ""
    return FAILED if status >= 500 else DENIED


def note_cut_off(tenant_id: UUID) -> None:
    """Count a statement that was; a Valkey that is away counts nothing."""
    with contextlib.suppress(ValkeyAway):
        add({(tenant_id, _CUT_OFF): 1})


def add(counted: Mapping[tuple[UUID, str], int]) -> None:
    """What was counted here, by tenant and field, to this hour's. Raises ValkeyAway."""
    args = [
        part
        for (tenant_id, name), number in counted.items()
        for part in (key_of(tenant_id), name, number)
    ]
    with valkey.needed():
        _adding()(keys=[], args=args)


@cache
def _adding() -> Any:
    return valkey.client().register_script(_ADD)


def counts(asked: Iterable[tuple[UUID, int]]) -> list[Count]:
    """What was counted, for each tenant and hour (since the epoch). Raises ValkeyAway."""
    with valkey.needed() as client:
        pipeline = client.pipeline(transaction=False)
        for tenant_id, hour in asked:
            pipeline.hgetall(f"{key_of(tenant_id)}{hour}")
        return [_read(found) for found in pipeline.execute()]


def _read(found: Mapping[bytes, bytes]) -> Count:
    numbers = {name.decode(): int(number) for name, number in found.items()}
    lengths = {
        int(name.removeprefix(_TOOK)): number
        for name, number in numbers.items()
        if name.startswith(_TOOK)
    }
    plain = {name: numbers.get(name, 0) for name in _AT_THE_DOOR}
    ended = {"denied": numbers.get(DENIED, 0), "failed": numbers.get(FAILED, 0)}
    return Count(**plain, **ended, took=lengths, cut_off=numbers.get(_CUT_OFF, 0))
