"""Folders that the servers' user can reach even when the tests run as root."""

from __future__ import annotations

import contextlib
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from config.embedded.servers import RunningServers, running


@pytest.fixture(scope="module")
def shared_place() -> Iterator[Path]:
    """A data folder for the tests of one module."""
    with _open_folder() as place:
        yield place


@pytest.fixture
def place() -> Iterator[Path]:
    """A data folder of one's own."""
    with _open_folder() as place:
        yield place


@pytest.fixture(scope="module")
def served(shared_place: Path) -> Iterator[RunningServers]:
    """Throwaway servers; tests leave them running."""
    with running(shared_place, durable=False, given={}) as servers:
        yield servers


def eventually(holds: Callable[[], object], seconds: float = 10) -> bool:
    """Whether it comes true in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if holds():
            return True
        time.sleep(0.05)
    return False


def working_in(place: Path) -> list[psutil.Process]:
    """Processes at work in a folder or beneath it."""
    found = psutil.process_iter(["cwd"])
    return [process for process in found if _is_beneath(process.info["cwd"], place)]


def _is_beneath(folder: str | None, place: Path) -> bool:
    return folder is not None and Path(folder).is_relative_to(place.resolve())


@contextlib.contextmanager
def _open_folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="bulkhead-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        yield Path(folder) / "data"
