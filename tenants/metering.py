"""Work that no request waits for, paid as it goes on: files that are streamed, events told again.

It runs in threads of its own and on the event loop, beside the work of others: each stretch is
measured by the clock of the thread that it runs in. What goes on can be refused no more: it rests
once its tenant's server time is used up. The next request is refused until some has come back.
"""

from __future__ import annotations

import time
import types
from collections.abc import Coroutine, Generator, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any, TypeVar
from uuid import UUID

from config.observing import work
from tenants import budget, valkey
from tenants.valkey import ValkeyAway

_STEP = 0.05  # seconds of work that are paid for in one round trip
_BLIND = 1.0  # seconds of rest after a step that could not be paid for

# KEYS: the tenant's server time. ARGV: how much flows in a second, what was used, how much is held
# again before work goes on that has used it up. Gives the milliseconds until then.
_PAY = (
    budget.LUA
    + """
local clock = redis.call('TIME')
local now, pace = clock[1] * 1000 + math.floor(clock[2] / 1000), tonumber(ARGV[1])
local left = pay(KEYS[1], pace, now, tonumber(ARGV[2]))
if left > 0 then return 0 end
return math.ceil((ARGV[3] - left) * 1000 / pace)
"""
)
Answer = TypeVar("Answer")


class Meter:
    """Of one stream or socket, whose tenant's server time flows at a `pace`."""

    __slots__ = ("pace", "tenant_id", "unpaid")

    def __init__(self, tenant_id: UUID, pace: int) -> None:
        self.tenant_id, self.pace = tenant_id, pace
        self.unpaid = 0.0  # seconds

    @contextmanager
    def running(self) -> Iterator[None]:
        """What this thread computes, and the server for its statements."""
        began = _used()
        try:
            yield
        finally:
            self.unpaid += max(0.0, _used() - began)

    @types.coroutine
    def awaiting(self, going: Coroutine[Any, Any, Answer]) -> Generator[Any, Any, Answer]:
        """What a coroutine computes on the event loop, but not what others do while it waits."""
        go_on, given = going.send, None
        while True:
            began = time.thread_time()
            try:
                waits_for = go_on(given)
            except StopIteration as end:
                answer: Answer = end.value
                return answer
            finally:
                self.unpaid += time.thread_time() - began
            try:
                go_on, given = going.send, (yield waits_for)
            except BaseException as fault:  # noqa: BLE001 - it is for the coroutine, cancelling too
                go_on, given = going.throw, fault

    def pay(self, *, step: float = _STEP) -> float:
        """Once a step is due, or another number of seconds: gives for how many to rest.

        Rest ends when the part is held again that is left to people, so that they come first.
        """
        millis = round(self.unpaid * 1000)
        if not self.pace or not millis or self.unpaid < step:
            return 0.0
        held_again = budget.kept_from_keys(self.pace)
        try:
            with valkey.needed():
                rest = _script()(
                    keys=[budget.key_of(self.tenant_id)], args=[self.pace, millis, held_again]
                )
        except ValkeyAway:
            return _BLIND
        self.unpaid -= millis / 1000
        return float(rest) / 1000


def _used() -> float:
    doing = work.current()
    return time.thread_time() + (doing.server_seconds if doing else 0.0)


@cache
def _script() -> Any:
    return valkey.client().register_script(_PAY)
