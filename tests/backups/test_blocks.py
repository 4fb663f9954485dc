"""What COPY gives comes in blocks, to the byte; an error on the way is one, and leaves no mess."""

from __future__ import annotations

import psycopg
import pytest
from psycopg import sql

from backups import blocks
from tests.isolation.database import connected

_COPY = "COPY ({}) TO STDOUT"


def copied(database: psycopg.Connection[tuple[object, ...]], query: str) -> list[bytes]:
    with database.cursor() as cursor:
        return list(blocks.copied(cursor, sql.SQL(_COPY).format(sql.SQL(query))))


@pytest.mark.parametrize(
    ("query", "content", "count"),
    [
        ("SELECT n FROM generate_series(1, 0) n", b"", 0),
        ("SELECT 'a'", b"a\n", 1),
        ("SELECT n FROM generate_series(1, 50000) n", None, 5),
        ("SELECT repeat('x', 200000) FROM generate_series(1, 2)", b"x" * 200_000 + b"\n", 2),
    ],
)
def test_whole_rows_come_in_blocks(query: str, content: bytes | None, count: int) -> None:
    expected = b"".join(b"%d\n" % n for n in range(1, 50_001)) if content is None else content
    with connected() as database:
        found = copied(database, query)
        assert len(found) == count
        assert b"".join(found) in (expected, expected * 2)
        assert all(block.endswith(b"\n") for block in found)
        assert copied(database, "SELECT 'and again'") == [b"and again\n"]


def test_an_error_on_the_way_is_raised() -> None:
    with connected() as database:
        with pytest.raises(psycopg.errors.DivisionByZero), database.transaction():
            copied(database, "SELECT 1 / (n - 50000) FROM generate_series(1, 99999) n")
        assert copied(database, "SELECT 'goes on'") == [b"goes on\n"]


def test_who_stops_in_the_midst_leaves_a_connection_that_works() -> None:
    with connected() as database:
        with database.cursor() as cursor, database.transaction(force_rollback=True):
            endless = sql.SQL(_COPY).format(sql.SQL("SELECT n FROM generate_series(1, 9999999) n"))
            rows = blocks.copied(cursor, endless)
            assert next(rows).startswith(b"1\n2\n")
            rows.close()
        assert copied(database, "SELECT 'goes on'") == [b"goes on\n"]
