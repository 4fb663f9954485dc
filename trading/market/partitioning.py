"""Makes partitions ahead of time, and empties what went to the DEFAULT meanwhile; as the owner."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.backends.utils import CursorWrapper

from tenants.lifecycle import provisioning
from trading.market.partitions import TABLES, Partition, Partitioned


@dataclass(frozen=True, slots=True)
class Made:
    """Names of new partitions, rows moved into them, and rows left where none should stay."""

    partitions: list[str]
    moved: int
    left: int


def make(*, months: int, now: datetime) -> Made:
    """Partitions of now and so many months ahead, of every table that has any.

    One transaction each, so that nobody waits for long. Safe to run twice, also at once. Raises
    OwnerLoginMissing where the process may not change tables.
    """
    partitions, moved, left = [], 0, 0
    for table in TABLES:
        for partition in [*table.ahead(now, months), *_astray(table)]:
            rows = _make(table, partition)
            if rows is not None:
                partitions.append(partition.name)
                moved += rows
        left += _left(table)
    return Made(partitions, moved, left)


def _make(table: Partitioned, partition: Partition) -> int | None:
    """Make one partition with the rows that wait for it; their number, None when it stands.

    CREATE TABLE … PARTITION OF would lock the table against everybody; ATTACH only its DEFAULT.
    """
    with provisioning.owner_cursor() as cursor:
        cursor.execute(f"LOCK TABLE ONLY {table.table} IN SHARE UPDATE EXCLUSIVE MODE")
        cursor.execute("SELECT to_regclass(%s) IS NOT NULL", [f"public.{partition.name}"])
        if cursor.fetchone()[0]:
            return None
        # Nobody may add a row of this time to the DEFAULT between the move and the attachment.
        cursor.execute(f"LOCK TABLE {table.default} IN ACCESS EXCLUSIVE MODE")
        cursor.execute(
            f"CREATE TABLE {partition.name}"
            f" (LIKE {table.table} INCLUDING DEFAULTS INCLUDING CONSTRAINTS)"
        )
        moved = _move(cursor, table, partition)
        cursor.execute(
            f"ALTER TABLE {table.table} ATTACH PARTITION {partition.name} {partition.bounds()}"
        )
    return moved


def _move(cursor: CursorWrapper, table: Partitioned, partition: Partition) -> int:
    """Rows that never change may change their place; nobody else sees the table meanwhile."""
    cursor.execute(f"ALTER TABLE {table.default} DISABLE TRIGGER USER")
    cursor.execute(
        f"WITH moved AS (DELETE FROM {table.default}"  # noqa: S608 - names from `partitions`
        f" WHERE {table.column} >= %s AND {table.column} < %s RETURNING *)"
        f" INSERT INTO {partition.name} SELECT * FROM moved",
        [partition.start, partition.end],
    )
    moved = int(cursor.rowcount)
    cursor.execute(f"ALTER TABLE {table.default} ENABLE TRIGGER USER")
    return moved


def _astray(table: Partitioned) -> list[Partition]:
    """The partitions that rows of the DEFAULT are waiting for."""
    if table.keeps_default:
        return []
    with provisioning.owner_cursor() as cursor:
        cursor.execute(
            f"SELECT DISTINCT date_trunc('month', {table.column})"  # noqa: S608 - from `partitions`
            f" FROM {table.default} WHERE isfinite({table.column}) ORDER BY 1"
        )
        return list(dict.fromkeys(table.around(month) for (month,) in cursor.fetchall()))


def _left(table: Partitioned) -> int:
    if table.keeps_default:
        return 0
    with provisioning.owner_cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {table.default}")  # noqa: S608 - from `partitions`
        return int(cursor.fetchone()[0])
