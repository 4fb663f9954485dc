"""SIGINT, SIGTERM and SIGHUP as one request to stop, however often they come."""

import asyncio
import contextlib
import signal
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any


class Interruption:
    """Ends a run once: a second signal, from make or an impatient hand, can't spoil the ending."""

    def __init__(self) -> None:
        self.came = False
        self._task: asyncio.Task[Any] | None = None
        self._told: Callable[[], object] = bool

    def listen(self) -> None:
        """Take the signals over; call it in the main thread."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            # nohup has SIGHUP ignored, and means it.
            if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
                signal.signal(number, self._stop)

    @contextlib.contextmanager
    def cancels_current_task(self, told: Callable[[], object]) -> Iterator[None]:
        """Inside, a signal calls told and cancels the task; outside, it raises SystemExit."""
        self._told = told
        self._task = asyncio.current_task()
        try:
            yield
        finally:
            self._task = None

    def _stop(self, number: int, frame: FrameType | None) -> None:
        if self.came:
            return
        self.came = True
        if self._task is None:
            raise SystemExit(128 + number)
        # From the loop: what it interrupts here may hold any lock.
        self._task.get_loop().call_soon_threadsafe(self._cancel, self._task)

    def _cancel(self, task: asyncio.Task[Any]) -> None:
        self._told()
        task.cancel()
