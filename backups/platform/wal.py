"""The server's WAL on its way into the storage, and what is there of it.

The server lays its files down in a folder of this machine, `WAL_SPOOL`, in the clear and without
any key; whoever has the keys seals them and takes them away from there.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings

from backups.platform import sealed, segments, server
from backups.platform.errors import TwoServers, WalNotArchived
from backups.platform.server import Facts, Waiting
from backups.storage import place
from backups.storage.errors import NotStored
from backups.storage.interface import Storage

_KEEP = "keep"  # while there is a file of this name in the spool, the server lays WAL down there
_ARRIVES = 60.0  # seconds
_PAUSE = 0.05  # seconds
_PIECE = 1 << 20  # bytes


def keep() -> None:
    """From now on none is lost. Raises WalNotArchived where the server hands over none."""
    if not server.facts().is_archiving:
        raise WalNotArchived("The server's archive_mode is off.")
    _spool().mkdir(mode=0o700, parents=True, exist_ok=True)
    (_spool() / _KEEP).touch(exist_ok=True)


def forget() -> None:
    """Have the server lay down no more, and take away what it has; what is stored stays."""
    (_spool() / _KEEP).unlink(missing_ok=True)
    with _turn(waits=True):
        for path in _spool().iterdir():
            path.unlink(missing_ok=True)


def is_kept() -> bool:
    """Whether anybody has asked for it."""
    return bool(settings.WAL_SPOOL) and (_spool() / _KEEP).exists()


def waiting() -> Waiting:
    """What was laid down and is not in the storage yet."""
    laid_down = _spool().iterdir() if is_kept() else ()
    named = (path for path in laid_down if segments.is_named(path.name))
    found = [stat for path in named if (stat := _stat(path))]
    ages = (time.time() - stat.st_mtime for stat in found)
    size = sum(stat.st_size for stat in found)
    return Waiting(len(found), size, max((0.0, *ages)))


def ship(storage: Storage) -> int:
    """Bring what waits into the storage, unless somebody is at it; gives how many files that were.

    A file goes from the spool once it is in the storage; by a kill in between it is found there
    again. Raises WalNotArchived, ArchiveUnfit, BackupKeysMissing, WrongBackupKey, or what the
    storage raises.
    """
    with _turn(waits=False) as is_ours:
        return _bring(storage) if is_ours else 0


def ship_all(storage: Storage) -> int:
    """Bring all that has been committed by now; gives how many files that were. Whoever is at it
    already is waited for.

    Raises NoBackupLogIn, and as `ship`.
    """
    last = place.wal(server.mark())
    shipped = _bring_in_turn(storage)
    until = time.monotonic() + _ARRIVES
    while last not in set(storage.names(place.wals())):
        if time.monotonic() > until:
            raise WalNotArchived(
                f"The server has not handed over {Path(last).stem} in {_ARRIVES:.0f} s: its log"
                f" tells what its archive_command says; does it reach {_spool()}?"
            )
        time.sleep(_PAUSE)
        shipped += _bring_in_turn(storage)
    return shipped


def fetch(storage: Storage, file: str, put: Callable[[bytes], object]) -> None:
    """One file, by the name that the server gave it. Raises NotStored, ArchiveUnfit,
    WrongBackupKey."""
    with sealed.reading(storage, place.wal(file)) as source:
        while piece := source.read(_PIECE):
            put(piece)


def check_ours(storage: Storage, facts: Facts) -> None:
    """That no other server goes on from ours in this storage, as one does that was brought back to
    try it: a recovery would follow that one. Raises TwoServers."""
    files = (Path(name).stem.upper() for name in storage.names(place.wals()))
    latest = max(map(segments.timeline, files), default=0)
    if latest > facts.timeline:
        raise TwoServers(f"It holds timeline {latest}, and this server is on {facts.timeline}.")


def before(storage: Storage, number: int | None, size: int) -> list[str]:
    """The names of segments before this one, of whatever timeline; of all where there is none.
    Histories of timelines are never among them."""
    found = []
    for name in storage.names(place.wals()):
        file = Path(name).stem.upper()
        is_segment = segments.is_segment(file)
        if is_segment and (number is None or segments.segment(file, size).number < number):
            found.append(name)
    return found


def _bring_in_turn(storage: Storage) -> int:
    with _turn(waits=True):
        return _bring(storage)


def _bring(storage: Storage) -> int:
    """By one at a time: another would take away what this one has seen and not opened yet."""
    waiting = sorted(path for path in _spool().iterdir() if segments.is_named(path.name))
    for path in waiting:
        if segments.is_needed(path.name) and not _is_there(storage, path):
            with path.open("rb") as file, sealed.writing(storage, place.wal(path.name)) as sink:
                shutil.copyfileobj(file, sink)
        path.unlink(missing_ok=True)
    return len(waiting)


@contextmanager
def _turn(*, waits: bool) -> Iterator[bool]:
    """Alone of all threads and processes with the spool, or False where somebody else is and we do
    not wait. The kernel ends it with its holder, also after a kill."""
    handle = os.open(_spool(), os.O_RDONLY)
    try:
        yield _lock(handle, waits=waits)
    finally:
        os.close(handle)


def _lock(handle: int, *, waits: bool) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX if waits else fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_there(storage: Storage, path: Path) -> bool:
    """Whether the very same is. Raises WalNotArchived where it is another: two servers that began
    as one would take each other's."""
    found = bytearray()
    try:
        fetch(storage, path.name, found.extend)
    except NotStored:
        return False
    if found != path.read_bytes():
        raise WalNotArchived(f"Another {path.name} is in the storage: of a server apart from ours?")
    return True


def _stat(path: Path) -> os.stat_result | None:
    """None for one that was taken away meanwhile."""
    try:
        return path.stat()
    except FileNotFoundError:
        return None


def _spool() -> Path:
    if not settings.WAL_SPOOL:
        raise WalNotArchived("No folder is named in which the server lays WAL down: WAL_SPOOL.")
    return Path(settings.WAL_SPOOL)
