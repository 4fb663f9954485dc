"""Workers that stand apart say now and then that they live, where the web can read it.

By a thread: one that has a single process is busy as long as a move takes, and lives all the same.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from threading import Thread
from typing import Any

from celery.signals import worker_ready
from django.conf import settings

from config.observing.measure import Measure
from tenants import valkey
from tenants.valkey import ValkeyAway

_EVERY = 15.0  # seconds
_KEY = "heartbeats"  # each worker's last, in seconds since the epoch


@worker_ready.connect
def begin(sender: Any, **_: object) -> None:
    """By the name before the machine's, as `operator@host`."""
    name = str(sender.hostname).partition("@")[0]
    if name in settings.WORKERS_APART:
        Thread(target=_beat_for_ever, args=[name], name="heartbeat", daemon=True).start()


def beat(name: str) -> None:
    """Raises ValkeyAway."""
    with valkey.needed() as client:
        client.hset(_KEY, name, str(time.time()))


def seen() -> Iterator[Measure]:
    """Of one that was never there, the beginning of time. Raises ValkeyAway."""
    with valkey.needed() as client:
        told: Any = client.hgetall(_KEY)
    for name in settings.WORKERS_APART:
        yield Measure(
            "bulkhead_worker_seen_timestamp_seconds",
            "When a worker that stands apart last said that it lives.",
            float(told.get(name.encode(), 0)),
            {"worker": name},
        )


def _beat_for_ever(name: str) -> None:
    while True:
        with contextlib.suppress(ValkeyAway):
            beat(name)
        time.sleep(_EVERY)
