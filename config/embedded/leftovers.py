"""Processes that a killed supervisor left running on the files of a server."""

import contextlib
import signal
import time
from collections.abc import Iterable
from pathlib import Path

import psutil

Farewell = Iterable[tuple[signal.Signals, float]]


def evict(program: str, home: Path, farewell: Farewell) -> bool:
    """End every process of the program that works in home; True when none is left.

    Both servers make their data folder the working directory, so do PostgreSQL's children, and an
    old backend beside a new server would write into its files.
    """
    for number, seconds in farewell:
        left = _working_in(home, program)
        parents = {process.pid for process in left}
        for process in left:
            with contextlib.suppress(psutil.NoSuchProcess):
                if number == signal.SIGKILL or process.ppid() not in parents:
                    process.send_signal(number)
        if _all_gone(home, program, seconds):
            return True
    return False


def _all_gone(home: Path, program: str, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    # Looked for anew rather than waited for: in a container nobody may bury the dead.
    while _working_in(home, program):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def _working_in(home: Path, program: str) -> list[psutil.Process]:
    return [
        process
        for process in psutil.process_iter(["name", "cwd"])
        if process.info["name"] == program and process.info["cwd"] == str(home)
    ]
