"""The live server, as the backup's log-in may ask it: reads, and what concerns its WAL."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
from django.conf import settings
from psycopg import conninfo

from accounts.audit.past_walls import NoBackupLogIn

_FACTS = """
SELECT pg_catalog.clock_timestamp(), pg_catalog.current_setting('server_version_num')::int,
       (SELECT setting::int FROM pg_catalog.pg_settings WHERE name = 'wal_segment_size'),
       pg_catalog.current_setting('archive_mode') <> 'off',
       coalesce(pg_catalog.current_setting('summarize_wal', true), 'off') <> 'off',
       (SELECT system_identifier::text FROM pg_catalog.pg_control_system()),
       CASE WHEN pg_catalog.pg_is_in_recovery()
            THEN (SELECT timeline_id FROM pg_catalog.pg_control_checkpoint())
            ELSE ('x' || left(pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_lsn()), 8))
                 ::bit(32)::int END,
       pg_catalog.pg_postmaster_start_time()
"""
# Segments that are full, or were given up for a new one, and that nobody has taken yet.
_ARCHIVER = """
SELECT a.last_archived_time, count(r.name)::int, (count(r.name) * s.setting::int)::bigint,
       greatest(0, coalesce(extract(epoch FROM pg_catalog.clock_timestamp()
                                               - min(r.modification)), 0))::float8
  FROM pg_catalog.pg_stat_archiver a
 CROSS JOIN pg_catalog.pg_settings s
  LEFT JOIN pg_catalog.pg_ls_archive_statusdir() r ON r.name ~ '^[0-9A-F]{24}[.]ready$'
 WHERE s.name = 'wal_segment_size'
 GROUP BY a.last_archived_time, s.setting
"""
# A commit, since a server that comes back stops at the first that is later than it was told. A
# transaction that asks for its number makes one, and writes nothing.
_MARK = "SELECT pg_catalog.pg_current_xact_id()"
_SWITCH = "SELECT pg_catalog.pg_walfile_name(pg_catalog.pg_switch_wal())"


@dataclass(frozen=True, slots=True)
class Waiting:
    """Files of WAL on their way into the storage."""

    files: int
    size: int  # bytes
    oldest: float  # seconds that one has waited


@dataclass(frozen=True, slots=True)
class Archiver:
    """What the server says of handing its WAL over."""

    archived_at: datetime | None  # the last time
    waiting: Waiting


@dataclass(frozen=True, slots=True)
class Facts:
    """Of a server, at a moment of its own clock."""

    at: datetime
    version: int
    segment_size: int  # bytes
    is_archiving: bool
    is_summarizing: bool  # what has changed, for incremental copies
    system: str  # PostgreSQL's system identifier
    timeline: int
    started_at: datetime


def facts(url: str = "") -> Facts:
    """The live server's, or another's. Raises NoBackupLogIn."""
    with connected(url) as connection:
        (row,) = connection.execute(_FACTS).fetchall()
        return Facts(*row)


def archiver() -> Archiver:
    """Raises NoBackupLogIn."""
    with connected() as connection:
        ((archived_at, *waiting),) = connection.execute(_ARCHIVER).fetchall()
        return Archiver(archived_at, Waiting(*waiting))


def mark() -> str:
    """Commit something, and have the server hand over its WAL so far; gives the last file's name.

    Raises NoBackupLogIn.
    """
    with connected() as connection:
        connection.execute(_MARK)
        ((name,),) = connection.execute(_SWITCH).fetchall()
        return str(name)


def log_in() -> tuple[str, str]:
    """How PostgreSQL's programs connect as we do: where, and the password, which no list of
    processes is to show. Raises NoBackupLogIn."""
    if not settings.DATABASE_BACKUP_URL:
        raise NoBackupLogIn
    said = conninfo.conninfo_to_dict(settings.DATABASE_BACKUP_URL)
    password = str(said.pop("password", ""))
    return conninfo.make_conninfo(**{name: str(value) for name, value in said.items()}), password


@contextmanager
def connected(url: str = "") -> Iterator[psycopg.Connection[Any]]:
    """Each statement a transaction of its own. Raises NoBackupLogIn."""
    if not (url or settings.DATABASE_BACKUP_URL):
        raise NoBackupLogIn
    try:
        connection = psycopg.connect(url or settings.DATABASE_BACKUP_URL, autocommit=True)
    except psycopg.OperationalError as fault:
        raise NoBackupLogIn("The backup's log-in opens no connection.") from fault
    with connection:
        yield connection
