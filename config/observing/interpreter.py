"""How long a thread of this process waits for the interpreter, once its answer is there.

How long a statement took is told by a clock that is read when the thread goes on: where others keep
the process busy, some time after the server was done. One thread looks how late it wakes itself; by
that much less is charged to who has sent the statement.
"""

from __future__ import annotations

import time
from functools import cache
from threading import Thread

_EVERY = 0.05  # seconds
_WEIGHT = 0.2  # of each look: what has been lately


class _Delay:
    seconds = 0.0


def delay() -> float:
    """Seconds; none where nobody watches."""
    return _Delay.seconds


@cache
def watch() -> Thread:
    """One thread of the process, for as long as that lives."""
    thread = Thread(target=_watch_for_ever, name="interpreter", daemon=True)
    thread.start()
    return thread


def _watch_for_ever() -> None:
    while True:
        asleep = time.perf_counter()
        time.sleep(_EVERY)
        late = max(0.0, time.perf_counter() - asleep - _EVERY)
        _Delay.seconds += _WEIGHT * (late - _Delay.seconds)
