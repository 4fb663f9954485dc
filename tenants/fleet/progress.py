"""How far a long run is: a bar on a terminal, a line now and then anywhere else."""

from __future__ import annotations

import time
from collections.abc import Callable

_WIDTH = 30
_LINES_EVERY = 5.0  # seconds


class Progress:
    """`write` takes text as it is to appear; on a terminal each bar stands in the place of the one
    before."""

    def __init__(self, write: Callable[[str], object], *, is_terminal: bool) -> None:
        self._write, self._is_terminal = write, is_terminal
        self._started = self._last = time.monotonic()
        self._failed = 0

    def step(self, number: int, total: int, *, failed: bool) -> None:
        """One more is done, and it is the `number`th."""
        self._failed += failed
        now, is_last = time.monotonic(), number == total
        if self._is_terminal:
            self._write("\r" + self._line(number, total, now) + ("\n" if is_last else ""))
        elif now - self._last >= _LINES_EVERY:
            self._last = now
            self._write(self._line(number, total, now) + "\n")

    def _line(self, number: int, total: int, now: float) -> str:
        filled = _WIDTH * number // total
        left = (now - self._started) * (total - number) / number
        bar = "#" * filled + "." * (_WIDTH - filled)
        failed = f", {self._failed} failed" if self._failed else ""
        return f"[{bar}] {number}/{total} schemas{failed}, {left:.0f} s left"
