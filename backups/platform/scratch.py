"""A server of our own on a copy of the live one's files, which nobody but us can reach.

It has no port, archives nothing, knows no other server, and lets in the backup's log-in alone, by a
socket in a folder of its own.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from functools import partial
from itertools import count
from pathlib import Path
from typing import Protocol, cast

import psycopg
from django.conf import settings
from django.utils.module_loading import import_string
from psycopg import conninfo

from backups.platform import programs
from backups.platform.errors import ScratchEnded
from backups.platform.feed import Feed
from tenants.roles import BACKUP

HOME = "postgres"
_PAUSE = 0.02  # seconds
_TURNS_AN_ASKING = 5
_LONGEST_SOCKET = 90  # bytes of its folder's path: the kernel takes 107 with the name
_PORT = "5432"  # only a part of the socket's name
_IS_STILL = "SELECT pg_catalog.pg_get_wal_replay_pause_state() = 'paused'"
_IS_LIVE = "SELECT NOT pg_catalog.pg_is_in_recovery()"
_HBA = f"local all {BACKUP} trust\n"
_SETTINGS = {
    "listen_addresses": "",
    "port": _PORT,
    "unix_socket_permissions": "0700",
    "archive_mode": "off",
    "summarize_wal": "off",
    "primary_conninfo": "",
    "max_logical_replication_workers": "0",
    "autovacuum": "off",
    "hot_standby": "on",
    "recovery_target_timeline": "latest",
    "recovery_target_inclusive": "on",
    "shared_buffers": "128MB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "lc_messages": "C",
    "logging_collector": "off",
    "log_destination": "stderr",
}
# What a server that comes back has to have as much of as the one that wrote its WAL.
_LIMITS = {
    "max_connections setting": "max_connections",
    "max_worker_processes setting": "max_worker_processes",
    "max_wal_senders setting": "max_wal_senders",
    "max_prepared_xacts setting": "max_prepared_transactions",
    "max_locks_per_xact setting": "max_locks_per_transaction",
}


class Running(Protocol):
    """A server that was started in a room."""

    @property
    def pid(self) -> int | None:
        """While it lives."""

    def last_words(self) -> str: ...


def room() -> AbstractContextManager[Path]:
    """A folder of the data folder for one scratch server; gone at the end, also after a kill."""
    made: AbstractContextManager[Path] = import_string(settings.SCRATCH_ROOM)(
        settings.BULKHEAD_DATA_DIR / "scratch"
    )
    return made


@contextmanager
def comes_back(
    room: Path, feed: Feed, *, until: datetime | None, database: str, is_safe: bool
) -> Iterator[str]:
    """The server on the files in `room`, once it stands still at the instant, or without one at the
    end of all WAL, and is a live server again; gives how it is reached.

    `is_safe` is for files that are to be kept. Raises ScratchEnded, and as `Feed.answer`.
    """
    url = conninfo.make_conninfo(host=str(room), port=_PORT, user=BACKUP, dbname=database)
    question = _IS_STILL if until else _IS_LIVE
    with _own_settings(room, feed, until=until, is_safe=is_safe), _serving(room) as server:
        _wait(server, feed, partial(_says_yes, url, question))
        if until and "recovery stopping" not in server.last_words():
            raise ScratchEnded(f"It stands still, but not at the instant:\n{server.last_words()}")
        yield url


def _wait(server: Running, feed: Feed, is_done: Callable[[], bool]) -> None:
    for turn in count():
        feed.answer()
        if server.pid is None:
            raise ScratchEnded(server.last_words())
        if turn % _TURNS_AN_ASKING == 0 and is_done():
            return
        time.sleep(_PAUSE)


def _says_yes(url: str, question: str) -> bool:
    """Whether it answers at all, and so."""
    try:
        with psycopg.connect(url, autocommit=True) as connection:
            ((answer,),) = connection.execute(question.encode()).fetchall()
    except psycopg.OperationalError:
        return False
    return bool(answer)


def _serving(room: Path) -> AbstractContextManager[Running]:
    started = import_string(settings.SCRATCH_SERVER)(room)
    return cast("AbstractContextManager[Running]", started)


@contextmanager
def _own_settings(
    room: Path, feed: Feed, *, until: datetime | None, is_safe: bool
) -> Iterator[None]:
    """Ours alone: those of the live server are put aside."""
    if len(str(room)) > _LONGEST_SOCKET:
        raise OSError(f"{room} is too long a name for a socket's folder: BULKHEAD_DATA_DIR.")
    home = room / HOME
    chosen = {
        **_SETTINGS,
        **_limits(home),
        "hba_file": str(room / "hba.conf"),
        "unix_socket_directories": str(room),
        "restore_command": feed.command,
        "fsync": "on" if is_safe else "off",
    }
    if until:
        chosen |= {"recovery_target_time": until.isoformat(), "recovery_target_action": "pause"}
    (room / "hba.conf").write_text(_HBA)
    (room / "scratch.conf").write_text(_written(chosen))
    (home / "recovery.signal").touch()
    added = home / "postgresql.auto.conf"
    was = added.read_bytes()
    added.write_bytes(b"")
    yield
    added.write_bytes(was)


def _limits(home: Path) -> Mapping[str, str]:
    said = programs.run("pg_controldata", str(home))
    known = dict(line.split(":", 1) for line in said.splitlines() if ":" in line)
    return {ours: known[theirs].strip() for theirs, ours in _LIMITS.items()}


def _written(chosen: Mapping[str, str]) -> str:
    quoted = {name: value.replace("'", "''") for name, value in chosen.items()}
    return "".join(f"{name} = '{value}'\n" for name, value in quoted.items())
