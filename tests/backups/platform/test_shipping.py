"""WAL on its way into the storage, by several at once: timers, copies, commands."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Barrier, Event
from typing import Any
from unittest import mock

import pytest
from django.conf import settings as installed
from pytest_django.fixtures import Settings

from backups.platform import actions, sealed, server, wal
from backups.platform.errors import TwoServers
from backups.platform.server import Facts
from backups.storage import place
from backups.storage.interface import Storage
from tests.backups.test_kills import ROOT
from tests.cast import now

FILES, SIZE, THREADS, PROCESSES = 12, 1 << 20, 4, 2
LAST = f"{FILES:024X}"
_SHIP = """
import sys, django
django.setup()
from backups.platform import actions, wal
print("begins", flush=True)
sys.stdin.readline()
while wal.waiting().files:
    actions.ship()
"""
_HOLD = """
import sys, django
django.setup()
from backups.platform import wal
with wal._turn(waits=True):
    print("holds", flush=True)
    sys.stdin.readline()
"""


@pytest.fixture(autouse=True)
def spool(settings: Settings, tmp_path: Path) -> Path:
    """One of this test's own, where WAL is kept, and a storage beside it."""
    folder = tmp_path / "spool"
    folder.mkdir()
    (folder / "keep").touch()
    settings.WAL_SPOOL = str(folder)
    settings.BACKUP_STORAGE = f"file://{tmp_path}/archives"
    return folder


def lay(spool: Path) -> dict[str, bytes]:
    """A backlog of segments that nothing makes smaller."""
    laid = {
        f"{number:024X}": hashlib.shake_256(bytes([number])).digest(SIZE)
        for number in range(1, FILES + 1)
    }
    for name, content in laid.items():
        (spool / name).write_bytes(content)
    return laid


def stored() -> dict[str, bytes]:
    storage = place.chosen()
    names = [Path(name).stem.upper() for name in storage.names(place.wals())]
    return {name: sealed.content(storage, place.wal(name)) for name in names}


@contextmanager
def process(script: str) -> Any:
    """That has said its first line."""
    environment = {
        **os.environ,
        "WAL_SPOOL": installed.WAL_SPOOL,
        "BACKUP_STORAGE": installed.BACKUP_STORAGE,
        "PYTHONPATH": str(ROOT),
    }
    started = subprocess.Popen(
        [sys.executable, "-c", script],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert started.stdin and started.stdout and started.stderr
    with closing(started.stdin), closing(started.stdout), closing(started.stderr):
        assert started.stdout.readline(), started.stderr.read()
        try:
            yield started
        finally:
            started.kill()
            started.wait()


def test_several_ship_one_backlog_and_each_segment_is_stored_once(
    spool: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "mark", lambda: LAST)
    written: list[str] = []
    really = sealed.writing

    def noted(storage: Storage, name: str) -> Any:
        written.append(name)
        return really(storage, name)

    monkeypatch.setattr(sealed, "writing", noted)
    laid, together = lay(spool), Barrier(THREADS)

    def ship(number: int) -> int:
        together.wait()
        return actions.ship_all() if number % 2 else actions.ship()

    with ThreadPoolExecutor(THREADS) as threads:
        shipped = list(threads.map(ship, range(THREADS)))
    assert stored() == laid
    assert sorted(written) == [place.wal(name) for name in laid]
    assert sum(shipped) == FILES
    assert wal.waiting().files == 0


def test_processes_ship_it_together_and_nothing_is_lost(
    spool: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "mark", lambda: LAST)
    with process(_SHIP) as one, process(_SHIP) as other:
        laid = lay(spool)
        for each in (one, other):
            each.stdin.write("\n")
            each.stdin.flush()
        with ThreadPoolExecutor(THREADS) as threads:
            for each in [threads.submit(actions.ship_all) for _ in range(THREADS)]:
                each.result()
        assert [each.wait() for each in (one, other)] == [0, 0], one.stderr.read()
    assert stored() == laid


def test_who_is_at_it_is_left_alone_by_a_timer_and_waited_for_by_a_command(
    spool: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "mark", lambda: LAST)
    laid, is_at_it, may_go_on = lay(spool), Event(), Event()
    really = sealed.writing

    def slow(storage: Storage, name: str) -> Any:
        is_at_it.set()
        may_go_on.wait()
        return really(storage, name)

    monkeypatch.setattr(sealed, "writing", slow)
    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(actions.ship)
        is_at_it.wait()
        assert actions.ship() == 0
        command = threads.submit(actions.ship_all)
        may_go_on.set()
        assert (first.result(), command.result()) == (FILES, 0)
    assert stored() == laid


def test_whoever_is_killed_at_it_holds_up_nobody(spool: Path) -> None:
    laid = lay(spool)
    with process(_HOLD) as holder:
        assert actions.ship() == 0
        holder.send_signal(signal.SIGKILL)
        holder.wait()
        assert actions.ship() == FILES
    assert stored() == laid


def test_nothing_leaves_the_spool_before_it_is_stored(spool: Path) -> None:
    laid = lay(spool)
    with (
        mock.patch.object(sealed, "writing", side_effect=OSError("full")),
        pytest.raises(OSError, match="full"),
    ):
        actions.ship()
    assert {path.name for path in spool.iterdir()} == {"keep", *laid}
    assert actions.ship() == FILES


def test_a_storage_with_a_later_timeline_is_another_servers(spool: Path) -> None:
    storage = place.chosen()
    ours = Facts(now(), 180004, SIZE, True, True, "7", 1, now())
    lay(spool)
    wal.ship(storage)
    wal.check_ours(storage, ours)
    (spool / "00000002.history").write_bytes(b"1\t0/3000000\tno recovery target specified\n")
    wal.ship(storage)
    with pytest.raises(TwoServers, match="timeline 2, and this server is on 1"):
        wal.check_ours(storage, ours)
