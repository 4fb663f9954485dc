"""Staged rows in the place of a tenant's live ones, in one transaction of the caller's.

What is not in the archive goes, what differs is put anew, what is missing comes. Rows are compared
as they are stored, to the byte: what they mean may be the same where their text is not, and
their text takes several times as long, while the tenant waits.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import UUID

import psycopg
from django.db import IntegrityError
from psycopg import sql

from accounts.audit.models import AuditEvent, AuditHead, AuditLink
from backups.errors import NotRestored
from backups.staging import PREFIX, ROOM
from tenants.cursors import Cursor
from tenants.moving import carrying
from tenants.moving.route import Table

# The trail only grows: going back to another state is something that was done, too.
TRAIL = frozenset(model._meta.db_table for model in (AuditEvent, AuditLink, AuditHead))


@dataclass(frozen=True, slots=True)
class Difference:
    """Between a table's staged rows and its live ones, in rows."""

    table: str
    missing: int  # live
    extra: int
    changed: int

    @property
    def is_none(self) -> bool:
        return not (self.missing or self.extra or self.changed)


@dataclass(frozen=True, slots=True)
class Place:
    """Where staged rows go: a tenant, and the schema that it lives in."""

    tenant_id: UUID
    schema: str

    def differences(self, cursor: Cursor, tables: Iterable[Table]) -> list[Difference]:
        """As `carrying.as_mover` sees them, who sees everything."""
        return [self._difference(cursor, table) for table in tables]

    def put(self, cursor: Cursor, *, without: frozenset[str] = frozenset()) -> list[Difference]:
        """Gives what there was to do. Raises NotRestored for rows that the database refuses, and if
        anything still differs after it.

        Tables of `without` are left as they are; of the trail nothing goes.
        """
        tables = [table for table in carrying.tables() if table.name not in without]
        # What is known to the trail's own function by its name alone.
        path = sql.SQL("SET LOCAL search_path = {}, public, pg_temp")
        cursor.execute(path.format(sql.Identifier(self.schema)))
        with _refusals_named(), carrying.as_mover(cursor):
            found = self.differences(cursor, tables)
            for table in reversed(tables):
                if table.name not in TRAIL:
                    self._remove(cursor, table)
            for table in tables:
                self._add(cursor, table)
            self._check(cursor, tables)
        return found

    def _difference(self, cursor: Cursor, table: Table) -> Difference:
        rows = sql.SQL("SELECT id, {row} AS row FROM {table} x")
        staged = rows.format(row=_row(table), table=_staged(table))
        live = sql.SQL("{} WHERE tenant_id = {}").format(
            rows.format(row=_row(table), table=self._live(table)), self._tenant
        )
        cursor.execute(
            sql.SQL(
                "SELECT count(*) FILTER (WHERE l.id IS NULL), count(*) FILTER (WHERE s.id IS NULL),"
                " count(*) FILTER (WHERE s.row *<> l.row)"
                " FROM ({}) s FULL JOIN ({}) l ON l.id = s.id"
            ).format(staged, live)
        )
        ((missing, extra, changed),) = cursor.fetchall()
        return Difference(table.name, int(missing), int(extra), int(changed))

    def _remove(self, cursor: Cursor, table: Table) -> None:
        cursor.execute(
            sql.SQL(
                "DELETE FROM {live} x WHERE tenant_id = {tenant} AND NOT EXISTS"
                " (SELECT FROM {staged} s WHERE s.id = x.id"
                " AND pg_catalog.record_image_eq({there}, {here}))"
            ).format(
                live=self._live(table),
                tenant=self._tenant,
                staged=_staged(table),
                there=_row(table, "s"),
                here=_row(table),
            )
        )

    def _add(self, cursor: Cursor, table: Table) -> None:
        columns = sql.SQL(", ").join(sql.Identifier(name) for name in _names(table))
        cursor.execute(
            sql.SQL(
                "INSERT INTO {live} (tenant_id, {columns}) SELECT {tenant}, {columns}"
                " FROM {staged} s WHERE NOT EXISTS"
                " (SELECT FROM {live} x WHERE x.tenant_id = {tenant} AND x.id = s.id)"
            ).format(
                live=self._live(table),
                columns=columns,
                tenant=self._tenant,
                staged=_staged(table),
            )
        )

    def _check(self, cursor: Cursor, tables: Iterable[Table]) -> None:
        for left in self.differences(cursor, tables):
            is_trail = left.table in TRAIL and not left.missing
            if not (left.is_none or is_trail):
                raise NotRestored(f"{left.table}: live rows are not the archive's.")

    def _live(self, table: Table) -> sql.Identifier:
        return sql.Identifier(self.schema, table.name)

    @property
    def _tenant(self) -> sql.Composable:
        return sql.SQL("{}::uuid").format(sql.Literal(str(self.tenant_id)))


@contextmanager
def _refusals_named() -> Iterator[None]:
    """By the table and the rule, and not by values of the tenant's."""
    try:
        yield
    except IntegrityError as fault:
        broken = fault.__cause__
        rule = broken.diag.message_primary if isinstance(broken, psycopg.Error) else fault
        raise NotRestored(f"The database refuses rows of the archive: {rule}.") from fault


def _staged(table: Table) -> sql.Identifier:
    return sql.Identifier(ROOM, PREFIX + table.name)


def _names(table: Table) -> tuple[str, ...]:
    """Without the tenant's, which is not in an archive."""
    return tuple(name for name in table.columns if name != "tenant_id")


def _row(table: Table, of: str = "x") -> sql.Composable:
    return sql.SQL("ROW({})").format(
        sql.SQL(", ").join(sql.Identifier(of, name) for name in _names(table))
    )
