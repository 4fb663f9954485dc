"""Processes that a killed supervisor left running on the files of a server."""

import contextlib
import signal
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
        if not psutil.wait_procs(left, timeout=seconds)[1]:
            return True
    return not _working_in(home, program)


def _working_in(home: Path, program: str) -> list[psutil.Process]:
    return [
        process
        for process in psutil.process_iter(["name", "cwd"])
        if process.info["name"] == program and process.info["cwd"] == str(home)
    ]
