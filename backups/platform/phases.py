"""How long each part of long work took: for whoever waits, and for `--json`."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Report = Callable[[str], None]


class Phases:
    """`seconds` by the name of the phase, in the order in which they ended."""

    def __init__(self, report: Report) -> None:
        self.report = report
        self.seconds: dict[str, float] = {}

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Told of once it is over; one that broke off is not."""
        began = time.perf_counter()
        yield
        self.seconds[name] = round(time.perf_counter() - began, 3)
        self.report(f"{name}: {self.seconds[name]:.2f} s")
