"""The whole server, copied and brought to instants as tests do it, and what may befall it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.test import override_settings

from backups import restoring
from backups.archive.entry import Entry
from backups.platform import actions, bases, segments, server
from backups.platform.base import Base
from backups.platform.phases import Phases
from backups.storage import place
from tests.backups.keepers import BY, rows
from tests.backups.test_kills import ROOT
from tests.cast import House, now


@contextmanager
def storing(url: str) -> Iterator[None]:
    with override_settings(BACKUP_STORAGE=url):
        yield


def copy(*, is_incremental: bool = False) -> Base:
    return actions.take(is_incremental=is_incremental, by=BY.name, phases=quiet())


def quiet() -> Phases:
    said: list[str] = []
    return Phases(said.append)


def clock() -> datetime:
    """The server's."""
    return server.facts().at


def of_instant(slug: str, at: datetime) -> Entry:
    how: dict[str, Any] = {"by": BY.name, "now": now(), "phases": quiet()}
    return actions.of_instant(slug=slug, at=at, **how)


def put_back(house: House, at: datetime) -> None:
    entry = of_instant(house.tenant.slug, at)
    restoring.restore(entry=entry, by=BY, now=now(), report=quiet().report)


def left_over() -> set[str]:
    """Of scratch servers."""
    scratch = settings.BULKHEAD_DATA_DIR / "scratch"
    return {path.name for path in scratch.iterdir() if path.is_dir()} if scratch.exists() else set()


@contextmanager
def untouched(house: House) -> Iterator[None]:
    """The tenant is as it was, and nothing lies about."""
    was, lay = rows(house.tenant, without=frozenset()), left_over()
    yield
    assert rows(house.tenant, without=frozenset()) == was
    assert left_over() == lay


@contextmanager
def away(name: str) -> Iterator[None]:
    """With a file of the storage gone."""
    path = _path(name)
    aside = path.with_suffix(".aside")
    path.rename(aside)
    try:
        yield
    finally:
        aside.rename(path)


@contextmanager
def spoiled(name: str) -> Iterator[None]:
    """With a bit of it flipped."""
    path = _path(name)
    was = path.read_bytes()
    path.write_bytes(was[:-9] + bytes([was[-9] ^ 1]) + was[-8:])
    try:
        yield
    finally:
        path.write_bytes(was)


@contextmanager
def torn(name: str) -> Iterator[None]:
    """With its second half gone."""
    path = _path(name)
    was = path.read_bytes()
    path.write_bytes(was[: len(was) // 2])
    try:
        yield
    finally:
        path.write_bytes(was)


def needed_wal() -> str:
    """The name of the file of WAL that any instant from now on begins with."""
    from_ = bases.stored(place.chosen()).newest()
    first = segments.Segment(1, from_.first_segment)
    return place.wal(segments.name(first, from_.segment_size))


def kill(command: list[str], seconds: float) -> None:
    """A command of manage.py, after so long."""
    started = subprocess.Popen(
        [sys.executable, "manage.py", *command],
        cwd=ROOT,
        env={**os.environ, "BACKUP_STORAGE": settings.BACKUP_STORAGE},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    with suppress(subprocess.TimeoutExpired):
        started.wait(seconds)
    started.send_signal(signal.SIGKILL)
    started.wait()


def _path(name: str) -> Path:
    return Path(settings.BACKUP_STORAGE.removeprefix("file://")) / name
