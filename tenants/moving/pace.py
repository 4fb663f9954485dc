"""A move is in no hurry: after each piece of work it rests, and the server is the others'."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

_REST = 0.5  # of the time that a piece took


@contextmanager
def piece() -> Iterator[None]:
    started = time.perf_counter()
    yield
    time.sleep((time.perf_counter() - started) * _REST)
