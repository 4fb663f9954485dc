"""One moment of one tenant, as the backup's log-in reads it: past all walls, and writing nothing.

No policy names the tenant here, so each statement does.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg
from psycopg import sql

from accounts.audit import past_walls
from backups import blocks
from backups.archive.manifest import Column, Origin, Person, TableHead
from backups.errors import BackupBehind, NoBackup, OtherShape
from tenants import ownership
from tenants.identifiers import PUBLIC_SCHEMA
from tenants.lifecycle import targets
from tenants.moving import carrying

# Whoever writes rows as text, and whoever reads them, has these: the text of a value hangs on them.
_TEXT: Mapping[str, str] = {
    "datestyle": "ISO, YMD",
    "intervalstyle": "postgres",
    "timezone": "UTC",
    "extra_float_digits": "1",
    "bytea_output": "hex",
    "client_encoding": "UTF8",
}

_TENANT = """
SELECT slug, name, plan_id, placement, region,
       CASE placement WHEN 'dedicated' THEN schema_name ELSE 'public' END,
       pg_catalog.transaction_timestamp(),
       (CASE WHEN pg_catalog.pg_is_in_recovery() THEN pg_catalog.pg_last_wal_replay_lsn()
             ELSE pg_catalog.pg_current_wal_lsn() END)::text,
       (SELECT system_identifier::text FROM pg_catalog.pg_control_system()),
       pg_catalog.current_setting('server_version_num')::int
  FROM public.tenants_tenant WHERE id = %s
"""
_COLUMNS = """
SELECT c.relname::text, a.attname::text, pg_catalog.format_type(a.atttypid, a.atttypmod)
  FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
 WHERE c.relnamespace = pg_catalog.to_regnamespace(%s) AND c.relname = ANY (%s)
   AND a.attnum > 0 AND NOT a.attisdropped
"""
_MIGRATIONS = """
SELECT DISTINCT ON (app) app, name FROM {}.django_migrations
 WHERE app = ANY (%s) ORDER BY app, id DESC
"""
_HAS_COME_TO = """
SELECT NOT pg_catalog.pg_is_in_recovery() OR pg_catalog.pg_last_wal_replay_lsn() >= %s::pg_lsn
"""
_BEHIND_AT_MOST = 10.0  # seconds
_MEMBERS = "SELECT user_id FROM public.accounts_membership WHERE tenant_id = {tenant}"
_PEOPLE = """
SELECT u.id, u.email, coalesce(m.role, '') FROM public.accounts_user u
  LEFT JOIN public.accounts_membership m ON m.user_id = u.id AND m.tenant_id = {tenant}
 WHERE u.id IN ({named}) ORDER BY u.id
"""


@dataclass(frozen=True, slots=True)
class Instant:
    """Another server, which stands still where the live one was at that moment."""

    url: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The tenant at one moment, and the rows of its tables from where it lived then."""

    cursor: psycopg.Cursor[Any]
    origin: Origin
    schema: str

    def hold(self) -> None:
        """Keep the tables from being dropped before they are read, as a move's last step would."""
        tables = sql.SQL(", ").join(self._table(table.name) for table in carrying.tables())
        self.cursor.execute(sql.SQL("LOCK TABLE {} IN ACCESS SHARE MODE").format(tables))

    def heads(self) -> tuple[TableHead, ...]:
        """All tenant tables, each after those that it refers to."""
        return heads(self.cursor, self.schema)

    def check_shape(self) -> None:
        """That nothing is there which this release would leave behind. Raises OtherShape."""
        known = {(t.name, column) for t in carrying.tables() for column in t.columns}
        if unknown := sorted(set(_types(self.cursor, self.schema)) - known):
            table, column = unknown[0]
            raise OtherShape(f"{table} had a column {column}, which this release does not know.")

    def rows(self, head: TableHead) -> Iterator[bytes]:
        """As COPY writes them, by id; without the tenant, which is the archive's."""
        statement = sql.SQL("COPY (SELECT {} FROM {} WHERE tenant_id = {} ORDER BY id) TO STDOUT")
        columns = sql.SQL(", ").join(sql.Identifier(column.name) for column in head.columns)
        filled = statement.format(columns, self._table(head.name), self._tenant)
        yield from blocks.copied(self.cursor, filled)

    def count(self, head: TableHead) -> int:
        statement = sql.SQL("SELECT count(*) FROM {} WHERE tenant_id = {}")
        self.cursor.execute(statement.format(self._table(head.name), self._tenant))
        ((rows,),) = self.cursor.fetchall()
        return int(rows)

    def people(self) -> tuple[Person, ...]:
        """Members, and whoever owns rows."""
        there = {table for table, _ in _types(self.cursor, self.schema)}
        owners = [
            sql.SQL("SELECT {} FROM {} WHERE tenant_id = {}").format(
                sql.Identifier(model.owner_column),
                self._table(model._meta.db_table),
                self._tenant,
            )
            for model in ownership.tenant_models()
            if model.owner_column and model._meta.db_table in there
        ]
        members = sql.SQL(_MEMBERS).format(tenant=self._tenant)
        named = sql.SQL(" UNION ").join([members, *owners])
        self.cursor.execute(sql.SQL(_PEOPLE).format(tenant=self._tenant, named=named))
        return tuple(Person(*row) for row in self.cursor.fetchall())

    @property
    def _tenant(self) -> sql.Literal:
        return sql.Literal(self.origin.tenant)

    def _table(self, name: str) -> sql.Identifier:
        return sql.Identifier(self.schema, name)


@contextmanager
def of(tenant_id: UUID, instant: Instant | None = None) -> Iterator[Snapshot]:
    """As it is now, or was at an instant. Raises NoBackup where there is no such tenant,
    NoBackupLogIn, WrongDatabaseRole, OtherShape."""
    with past_walls.reading(PUBLIC_SCHEMA, url=instant.url if instant else "") as cursor:
        write_as_text(cursor)
        seen = _taken(cursor, tenant_id)
        if instant:
            seen = replace(seen, origin=replace(seen.origin, at=instant.at))
            seen.check_shape()
        else:
            seen.hold()
        yield seen


def await_position(lsn: str) -> None:
    """Until the server that is read has what was committed by then on the live one: it may be a
    standby of that. Raises BackupBehind, and as `of`."""
    until = time.monotonic() + _BEHIND_AT_MOST
    while not _has_come_to(lsn):
        if time.monotonic() > until:
            raise BackupBehind
        time.sleep(0.1)


def _has_come_to(lsn: str) -> bool:
    with past_walls.reading(PUBLIC_SCHEMA) as cursor:
        cursor.execute(_HAS_COME_TO, [lsn])
        return any(is_there for (is_there,) in cursor.fetchall())


def tenant_then(instant: Instant, slug: str) -> UUID | None:
    """Whose name that was."""
    with past_walls.reading(PUBLIC_SCHEMA, url=instant.url) as cursor:
        cursor.execute("SELECT id FROM public.tenants_tenant WHERE slug = %s", [slug])
        return next((found for (found,) in cursor.fetchall()), None)


def write_as_text(cursor: Any) -> None:
    """Until the end of the transaction values have the text that they have in every archive."""
    for name, value in _TEXT.items():
        statement = sql.SQL("SET LOCAL {} = {}")
        cursor.execute(statement.format(sql.Identifier(name), sql.Literal(value)))


def heads(cursor: Any, schema: str) -> tuple[TableHead, ...]:
    """The tenant tables of a schema as they are, with all columns but the tenant's. One that was
    made by an older release has fewer."""
    types = _types(cursor, schema)
    found = (TableHead(t.name, _columns(t.name, t.columns, types)) for t in carrying.tables())
    return tuple(head for head in found if head.columns)


def _types(cursor: Any, schema: str) -> dict[tuple[str, str], str]:
    """By table and column."""
    names = [table.name for table in carrying.tables()]
    cursor.execute(_COLUMNS, [schema, names])
    return {(table, column): kind for table, column, kind in cursor.fetchall()}


def _columns(
    table: str, names: Sequence[str], types: Mapping[tuple[str, str], str]
) -> tuple[Column, ...]:
    chosen = (name for name in names if name != "tenant_id" and (table, name) in types)
    return tuple(Column(name, types[table, name]) for name in chosen)


def _taken(cursor: psycopg.Cursor[Any], tenant_id: UUID) -> Snapshot:
    cursor.execute(_TENANT, [tenant_id])
    found = cursor.fetchone()
    if found is None:
        raise NoBackup("There is no such tenant any more.")
    slug, name, plan, placement, region, schema, at, lsn, system, server = found
    statement = sql.SQL(_MIGRATIONS).format(sql.Identifier(schema))
    cursor.execute(statement, [sorted(targets.tenant_labels())])
    origin = Origin(
        tenant=tenant_id,
        slug=slug,
        name=name,
        plan=plan,
        placement=placement,
        region=region,
        at=at,
        lsn=lsn,
        system=system,
        server=server,
        migrations=tuple((app, migration) for app, migration in cursor.fetchall()),
    )
    return Snapshot(cursor, origin, schema)
