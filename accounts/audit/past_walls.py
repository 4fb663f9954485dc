"""What the application may not enter, read by the log-in that passes all walls; here it only reads.

Only operators' commands and backups are given that log-in; web and workers are not. No connection
stays open, and none is known to Django: nothing else can come to use it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from django.conf import settings
from psycopg import IsolationLevel, sql

from config.api.errors import DomainError
from tenants.errors import WrongDatabaseRole
from tenants.roles import BACKUP

_VARIABLE = "DATABASE_BACKUP_URL"
# Under a role that the walls hold they would hide all rows without a word: this makes it an error.
_LOUD = "-c row_security=off"


class NoBackupLogIn(DomainError):
    code = "no_backup_log_in"
    status = 500
    title = f"A tenant that is not active is read by the backup's log-in: set {_VARIABLE}."


@contextmanager
def reading(schema: str, *, url: str = "") -> Iterator[psycopg.Cursor[Any]]:
    """One snapshot of tables of a schema, read only; of the live server, or of the one that the
    `url` leads to. Raises NoBackupLogIn, WrongDatabaseRole."""
    with _connected(url) as connection, connection.cursor() as cursor:
        path = sql.SQL("SET LOCAL search_path = {}, public, pg_temp")
        cursor.execute(path.format(sql.Identifier(schema)))
        try:
            yield cursor
        except psycopg.errors.InsufficientPrivilege as fault:
            raise WrongDatabaseRole(f"{_VARIABLE} is not the log-in of {BACKUP}.") from fault


def _connected(url: str) -> psycopg.Connection[Any]:
    if not (url or settings.DATABASE_BACKUP_URL):
        raise NoBackupLogIn
    try:
        connection = psycopg.connect(url or settings.DATABASE_BACKUP_URL, options=_LOUD)
    except psycopg.OperationalError as fault:
        raise NoBackupLogIn(f"{_VARIABLE} opens no connection.") from fault
    connection.read_only = True
    connection.isolation_level = IsolationLevel.REPEATABLE_READ
    return connection
