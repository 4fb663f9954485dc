"""Whoever takes a backup holds its row for as long as it lives, and no longer.

A transaction of its own connection holds so little of the row that others change it meanwhile, and
whoever asks for all of the row learns that it is held. It ends with its process, however that ends.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any
from uuid import UUID

import psycopg
from django.db import DEFAULT_DB_ALIAS, connections

# A backup takes as long as it takes. A machine that went without a word is missed after a minute.
_LASTING = (
    "SET LOCAL idle_in_transaction_session_timeout = 0",
    "SET LOCAL tcp_keepalives_idle = 30",
    "SET LOCAL tcp_keepalives_interval = 10",
    "SET LOCAL tcp_keepalives_count = 3",
)
_HOLD = "SELECT id FROM public.backups_backup WHERE id = %s FOR KEY SHARE"
_ALONE = "SELECT id FROM public.backups_backup WHERE id = %s AND status = %s FOR UPDATE SKIP LOCKED"


class Hold:
    def __init__(self, connection: psycopg.Connection[Any], backup_id: UUID) -> None:
        self._connection = connection
        self._backup_id = backup_id

    def check(self) -> None:
        """That it lasts. Raises psycopg.OperationalError: somebody else may have taken over."""
        self._connection.execute("SELECT 1")

    @property
    def lasts(self) -> bool:
        try:
            self.check()
        except psycopg.OperationalError:
            return False
        return True

    def is_alone(self, status: str) -> bool:
        """Whether it has that status, and nobody else holds it; two who ask at once see each
        other."""
        with self._connection.transaction(force_rollback=True):  # all of it for a moment only
            found = self._connection.execute(_ALONE, [self._backup_id, status])
            return found.fetchone() is not None


@contextmanager
def held(backup_id: UUID) -> Iterator[Hold]:
    """Several may hold it: which of them takes it, its status says."""
    with closing(_connected()) as connection:
        for statement in _LASTING:
            connection.execute(statement)
        connection.execute(_HOLD, [backup_id])
        yield Hold(connection, backup_id)


def _connected() -> psycopg.Connection[Any]:
    """The application's, beside Django's own and its pool."""
    params = connections[DEFAULT_DB_ALIAS].get_connection_params()
    return psycopg.connect(**{**params, "cursor_factory": None})
