"""Rows are carried from one schema to another, by the role that no policy holds."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import cache
from graphlib import TopologicalSorter
from uuid import UUID

from tenants import ownership
from tenants.cursors import Cursor
from tenants.lifecycle.provisioning import owner_cursor
from tenants.moving import pace, resting
from tenants.moving.errors import RowsDiffer
from tenants.moving.route import Route, Table
from tenants.rls import quoted
from tenants.roles import MOVER

Look = Callable[[], None]

_NOTES = "DELETE FROM bulkhead.changed_row WHERE tenant_id = %s RETURNING tab, row_id"
_FORGOTTEN = "DELETE FROM bulkhead.changed_row WHERE tenant_id = %s"
_AT_A_TIME = 5_000  # rows of a table that one statement is about
_LOWEST, _HIGHEST = UUID(int=0), UUID(int=2**128 - 1)  # nobody's ids


@cache
def tables() -> tuple[Table, ...]:
    """Every tenant table, each after those that its rows refer to. Raises CycleError."""
    found, needs = {}, {}
    for model in sorted(ownership.tenant_models(), key=lambda model: model._meta.db_table):
        name, fields = model._meta.db_table, model._meta.local_concrete_fields
        columns = {str(field.column) for field in fields} - {"tenant_id", "id"}
        found[name] = Table(name, ("tenant_id", "id", *sorted(columns)))
        targets = {f.related_model._meta.db_table for f in fields if f.related_model}
        needs[name] = targets - {name}
    return tuple(found[name] for name in TopologicalSorter(needs).static_order())


@contextmanager
def snapshot(route: Route) -> Iterator[Cursor]:
    """A transaction of the owner's that sees one moment of both sides."""
    with owner_cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        _look_at(cursor, route.target)
        yield cursor


@contextmanager
def as_mover(cursor: Cursor) -> Iterator[None]:
    """What is deferred is checked before the owner is the owner again."""
    cursor.execute(f"SET LOCAL ROLE {MOVER}")
    yield
    cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    cursor.execute("RESET ROLE")


def copy(cursor: Cursor, route: Route, *, is_ours: bool, look: Look) -> int:
    """Everything; gives the number of rows. A target that `is_ours` alone has no readers yet: what
    is on its tables rests meanwhile. `look` is called before each piece, and may raise."""
    rows = 0
    resting_place = resting.tables(cursor, route.target, tables()) if is_ours else nullcontext()
    with resting_place, as_mover(cursor):
        for table in tables():
            for stretch in _stretches(cursor, route, table):
                look()
                with pace.piece():
                    cursor.execute(route.copy(table), [route.tenant_id, *stretch])
                    rows += _touched(cursor)
    return rows


def replay(cursor: Cursor, route: Route) -> Replayed:
    """Bring what was noted since the last time as it is now; inside `as_mover`.

    Of each table all that changed goes before any comes: a value that is there once may have passed
    from one row to another. References are checked at the end of the transaction.
    """
    cursor.execute(_NOTES, [route.tenant_id])
    changed: dict[str, set[UUID]] = defaultdict(set)
    for name, row_id in cursor.fetchall():
        changed[name].add(row_id)
    known = [(table, sorted(changed[table.name])) for table in tables() if table.name in changed]
    for statement, order in ((route.forget, reversed(known)), (route.bring, iter(known))):
        for table, ids in order:
            for start in range(0, len(ids), _AT_A_TIME):
                chosen = ids[start : start + _AT_A_TIME]
                cursor.execute(statement(table), [route.tenant_id, chosen])
    return Replayed(tuple(known))


@dataclass(frozen=True, slots=True)
class Replayed:
    """What was brought again, by table."""

    rows: tuple[tuple[Table, list[UUID]], ...]

    def __len__(self) -> int:
        return sum(len(ids) for _, ids in self.rows)


def check_same(cursor: Cursor, route: Route, replayed: Replayed) -> None:
    """That rows just brought are the same on both sides. Raises RowsDiffer."""
    for table, ids in replayed.rows:
        cursor.execute(route.differing(table), [route.tenant_id, ids] * 2)
        ((differing,),) = cursor.fetchall()
        if differing:
            raise RowsDiffer(f"{table.name}: {differing} rows differ.")


def check_all(cursor: Cursor, route: Route, *, look: Look) -> int:
    """That both sides have the same rows, by counts and checksums; gives how many there are.

    `look` is called before each piece, and may raise. Raises RowsDiffer.
    """
    rows = 0
    for table in tables():
        for stretch in _stretches(cursor, route, table):
            look()
            found = []
            for schema in (route.source, route.target):
                with pace.piece():
                    cursor.execute(route.checksum(table, schema), [route.tenant_id, *stretch])
                    found += cursor.fetchall()
            here, there = found
            if here != there:
                raise RowsDiffer(f"{table.name}: {here[0]} rows here, {there[0]} there, or others.")
            rows += int(here[0])
    return rows


def forget_notes(cursor: Cursor, tenant_id: UUID) -> None:
    cursor.execute(_FORGOTTEN, [tenant_id])


def remove(cursor: Cursor, route: Route, schema: str, *, at_most: int) -> int:
    """Some of the tenant's rows out of a schema, what refers before what is referred to; gives how
    many. None is left when it gives 0."""
    for table in reversed(tables()):
        cursor.execute(route.remove(table, schema), [route.tenant_id, route.tenant_id, at_most])
        if touched := _touched(cursor):
            return touched
    return 0


def _stretches(cursor: Cursor, route: Route, table: Table) -> Iterator[tuple[UUID, UUID]]:
    """All ids there can be, cut into pieces; of each the first id is left out, and the last is in.

    What stands between them in the source is not much at a time.
    """
    after = _LOWEST
    while after != _HIGHEST:
        cursor.execute(route.end_of_stretch(table), [route.tenant_id, after, _AT_A_TIME - 1])
        until = next((found for (found,) in cursor.fetchall()), _HIGHEST)
        yield after, until
        after = until


def _look_at(cursor: Cursor, schema: str) -> None:
    cursor.execute(f"SET LOCAL search_path = {quoted(schema)}, public, pg_temp")


def _touched(cursor: Cursor) -> int:
    return int(cursor.rowcount)  # type: ignore[attr-defined]  # Django's stubs leave it out
