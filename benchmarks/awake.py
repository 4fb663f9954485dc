"""Cores that do not fall asleep while others measure.

A request waits on the database three times, each time for a fraction of a millisecond. A core that
went to sleep meanwhile answers late, on a virtual machine later than all the work it then does: who
keeps it waiting a little longer seems to be much slower. A busy server's cores do not sleep.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator

_SPIN = """
import os, sys
os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
os.sched_setaffinity(0, {int(sys.argv[1])})
parent = os.getppid()
while os.getppid() == parent:
    for _ in range(1_000_000):
        pass
"""


@contextlib.contextmanager
def cores() -> Iterator[None]:
    """A process on each core that runs only when nobody else wants to (Linux; else nothing)."""
    spinners = []
    if hasattr(os, "SCHED_IDLE"):
        for core in os.sched_getaffinity(0):
            spinners.append(subprocess.Popen([sys.executable, "-c", _SPIN, str(core)]))
    try:
        yield
    finally:
        for spinner in spinners:
            spinner.kill()
            spinner.wait()
