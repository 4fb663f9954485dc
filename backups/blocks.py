"""What COPY gives, in blocks: row by row, as the driver hands it over, costs as much again."""

from __future__ import annotations

import select
from collections.abc import Iterator
from typing import Any

from psycopg import errors, sql
from psycopg.pq import ExecStatus

_BLOCK = 65_536  # bytes, or a row's if that is longer


def copied(cursor: Any, statement: sql.Composed) -> Iterator[bytes]:
    """Whole rows. Raises what the statement does, also on the way."""
    with cursor.copy(statement):
        connection = cursor.connection.pgconn
        arrival = select.poll()
        arrival.register(connection.socket, select.POLLIN)
        waiting = bytearray()
        while (size := _take(connection, waiting)) >= 0:
            if size == 0:
                arrival.poll()
                connection.consume_input()
            elif len(waiting) >= _BLOCK:
                yield bytes(waiting)
                waiting.clear()
        for result in list(iter(connection.get_result, None)):  # all, or it stays busy
            if result.status != ExecStatus.COMMAND_OK:
                raise errors.error_from_result(result)
        if waiting:
            yield bytes(waiting)


def _take(connection: Any, into: bytearray) -> int:
    """The next row, if it is there: bytes; 0 where it is still on its way, less at the end."""
    size, row = connection.get_copy_data(1)
    into += row
    return int(size)
