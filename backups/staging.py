"""An archive's rows beside the live ones, in temporary tables of the owner's.

Nobody else sees them, and they go with the connection: a kill leaves nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from psycopg import DataError, IntegrityError, errors, sql

from backups import blocks, shapes, snapshot
from backups.archive.manifest import Manifest, Measure, TableFacts, TableHead
from backups.archive.reading import ArchiveReader
from backups.errors import NotRestored, OtherShape
from tenants import ownership
from tenants.cursors import Cursor
from tenants.identifiers import PUBLIC_SCHEMA
from tenants.lifecycle.provisioning import owner_cursor
from tenants.moving import carrying
from tenants.roles import MOVER

ROOM = "pg_temp"
# No name of a live table: it would be found before that one wherever `pg_temp` is not named last.
PREFIX = "staged_"


@contextmanager
def staged(reader: ArchiveReader) -> Iterator[Manifest]:
    """All of an archive, as PostgreSQL understands it, and the same text again when it is asked.

    The mover may read it until the block ends. Raises ArchiveUnfit, OtherShape, PartsMissing,
    NotRestored.
    """
    try:
        with owner_cursor() as cursor:
            snapshot.write_as_text(cursor)
            _clear(cursor)
            manifest = _fill(cursor, reader)
        yield manifest
    finally:
        with owner_cursor() as cursor:
            _clear(cursor)


def check_references() -> None:
    """That no staged row refers to one that is not staged; inside `staged`. Raises NotRestored."""
    with owner_cursor() as cursor:
        for model in ownership.tenant_models():
            for field in model._meta.local_concrete_fields:
                if field.related_model:
                    _check_reference(cursor, model, field)


def _check_reference(cursor: Cursor, model: Any, field: Any) -> None:
    table, target = model._meta.db_table, field.related_model._meta.db_table
    dangling = sql.SQL(
        "SELECT count(*) FROM {} s WHERE {} IS NOT NULL"
        " AND NOT EXISTS (SELECT FROM {} t WHERE t.id = {})"
    )
    column = sql.Identifier("s", field.column)
    cursor.execute(dangling.format(_table(table), column, _table(target), column))
    ((rows,),) = cursor.fetchall()
    if rows:
        raise NotRestored(f"{table}: {rows} rows refer by {field.column} to what is not there.")


def _fill(cursor: Any, reader: ArchiveReader) -> Manifest:
    known = {head.name: head for head in snapshot.heads(cursor, PUBLIC_SCHEMA)}
    for name in known:
        _make(cursor, name)
    for head, rows in reader.tables():
        shapes.check_known(head, known.get(head.name))
        _set_defaults(cursor, head, known[head.name])
        _copy(cursor, head, rows)
    shapes.check_whole(reader.manifest, known)
    for name in known:
        _finish(cursor, name)
    for facts in reader.manifest.tables:
        _check(cursor, facts)
    return reader.manifest


def _make(cursor: Cursor, name: str) -> None:
    """Without the tenant: whose the rows are is said when they are put in their place."""
    made = sql.SQL("CREATE TABLE {} (LIKE {} INCLUDING DEFAULTS)")
    cursor.execute(made.format(_table(name), sql.Identifier(PUBLIC_SCHEMA, name)))
    cursor.execute(sql.SQL("ALTER TABLE {} DROP COLUMN tenant_id").format(_table(name)))


def _set_defaults(cursor: Cursor, head: TableHead, known: TableHead) -> None:
    """Of columns that the archive does not have."""
    statement = sql.SQL("ALTER TABLE {} ALTER COLUMN {} SET DEFAULT {}")
    for column, value in shapes.filled(head, known):
        cursor.execute(statement.format(_table(head.name), sql.Identifier(column), value))


def _copy(cursor: Any, head: TableHead, rows: Iterator[bytes]) -> None:
    statement = sql.SQL("COPY {} ({}) FROM STDIN")
    try:
        with cursor.copy(statement.format(_table(head.name), _columns(head))) as copied:
            for block in rows:
                copied.write(block)
    except errors.NotNullViolation as fault:
        column = fault.diag.column_name
        raise OtherShape(f"{head.name}.{column} may not be empty, and has no default.") from fault
    except (DataError, IntegrityError) as fault:
        raise OtherShape(f"{head.name}: {fault.diag.message_primary}.") from fault


def _finish(cursor: Cursor, name: str) -> None:
    cursor.execute(sql.SQL("ALTER TABLE {} ADD PRIMARY KEY (id)").format(_table(name)))
    cursor.execute(sql.SQL("ANALYZE {}").format(_table(name)))
    cursor.execute(sql.SQL(f"GRANT SELECT ON {{}} TO {MOVER}").format(_table(name)))


def _check(cursor: Any, facts: TableFacts) -> None:
    """That the rows, read out again, are the archive's to the byte. Raises NotRestored."""
    head = TableHead(facts.name, facts.columns)
    measure = Measure(head)
    statement = sql.SQL("COPY (SELECT {} FROM {} ORDER BY id) TO STDOUT")
    for block in blocks.copied(cursor, statement.format(_columns(head), _table(head.name))):
        measure.add(block)
    if measure.facts != facts:
        raise NotRestored(f"{facts.name}: other rows came in than went out.")


def _clear(cursor: Cursor) -> None:
    for table in carrying.tables():
        cursor.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(_table(table.name)))


def _table(name: str) -> sql.Identifier:
    return sql.Identifier(ROOM, PREFIX + name)


def _columns(head: TableHead) -> sql.Composable:
    return sql.SQL(", ").join(sql.Identifier(column.name) for column in head.columns)
