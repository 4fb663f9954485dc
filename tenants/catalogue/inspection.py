"""Reads everything there is to read and gives the gaps; leaves no trace in the database."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import psycopg
from django.db import DatabaseError, connections, transaction

from tenants.backend.routers import OWNER_ALIAS
from tenants.catalogue import (
    application_role,
    columns,
    comparison,
    distribution,
    facts,
    fleet_ledger,
    functions,
    grants,
    kept_blueprint,
    keys,
    owner_tables,
    partitions,
    pattern,
    placement,
    recorded,
    references,
    safeguards,
    shipped,
    strangers,
    tables,
    ticket_key,
    walls,
)
from tenants.catalogue.distribution import Place
from tenants.catalogue.gap import DATABASE, Gap
from tenants.catalogue.subject import COMMON, Cursor, Reader, undone
from tenants.identifiers import PUBLIC_SCHEMA, new_id, schema_of

SUBJECTS = (
    application_role.ROLES,
    application_role.SETTINGS,
    strangers.ROLES,
    strangers.WAYS,
    grants.ABOVE,
    grants.DEFAULTS,
    functions.OURS,
    functions.TICKET,
    functions.REVOKED,
    *owner_tables.TABLES,
    shipped.OPENED,
    shipped.ALTERED,
    tables.STRANGERS,
    placement.PLACEMENT,
    tables.TABLES,
    tables.HEIRS,
    tables.LASTING,
    tables.OWNERS,
    grants.TABLES,
    grants.COLUMNS,
    walls.SWITCHES,
    walls.POLICIES,
    partitions.PARTITIONS,
    partitions.OWN,
    columns.TENANT_ID,
    columns.SEQUENCES,
    keys.KEYS,
    references.FROM_TENANTS,
    references.INTO_TENANTS,
    distribution.REFERENCES,
    distribution.ROWS,
    distribution.POLICIES,
    safeguards.CONSTANT,
    safeguards.APPEND_ONLY,
    safeguards.IN_FORCE,
)
# What only the owner may read.
OF_THE_OWNER: tuple[Reader, ...] = (
    ticket_key.KEY,
    kept_blueprint.KEPT,
    fleet_ledger.LEDGER,
    shipped.REPLACED,
)

_SIZE = """
SELECT count(s.oid), count(DISTINCT r.oid) FROM room r LEFT JOIN seat s ON s.room = r.oid
"""
_MAY_CREATE = "SELECT has_database_privilege(current_database(), 'CREATE')"
# What PostgreSQL prints depends on the search_path: with this one, every name is qualified.
_PLAIN_PATH = "SET LOCAL search_path = pg_catalog, pg_temp"
# The planner cannot know how many tables the parameters name, and takes them for a handful.
_PLANS = ("SET LOCAL enable_nestloop = off", "SET LOCAL jit = off")
# A policy that hides tenants from the owner has to be an error, not a schema without a tenant.
_ALL_ROWS = ("SET LOCAL row_security = off",)
_SCHEMAS = "SELECT nspname::text FROM pg_catalog.pg_namespace"


@dataclass(frozen=True, slots=True)
class Inspection:
    """What was found, and in how many tables of how many schemas."""

    gaps: tuple[Gap, ...]
    tables: int
    schemas: int


def gaps(cursor: Cursor, *, made: str = "") -> list[Gap]:
    """Every gap, sorted. The cursor is in a transaction; what that has changed is seen.

    A role that may create schemas (the owner) compares all of them with one made from the
    migrations and undone again, or with `made`, which is such a one and nobody's; the
    application's role compares them with `public`.
    """
    model = _model(cursor, made)
    given = facts.parameters(made or PUBLIC_SCHEMA)
    with undone(cursor, "catalogue"):
        for setting in (_PLAIN_PATH, *_PLANS, *(_ALL_ROWS if model else ())):
            cursor.execute(setting)
        found = list(_read(cursor, SUBJECTS, given))
        if model is None:
            found += _compared(cursor, given, found)
        else:
            found += _read(cursor, OF_THE_OWNER, given)
            found += recorded.gaps(cursor, given)
            found += _against(cursor, model, given, found)
        cursor.execute(_SCHEMAS)
        there = {DATABASE, *(schema for (schema,) in cursor.fetchall())}
    return sorted(gap for gap in found if gap.schema in there)


def inspect(alias: str) -> Inspection:
    """The gaps as this log-in sees them, and how much was looked at."""
    with transaction.atomic(using=alias), connections[alias].cursor() as cursor:
        found = gaps(cursor)
        cursor.execute(COMMON + _SIZE, facts.parameters(PUBLIC_SCHEMA))
        ((tables_read, schemas),) = cursor.fetchall()
    return Inspection(tuple(found), tables_read, schemas)


def places(alias: str) -> list[Place]:
    """What each table would be on more machines than one."""
    with transaction.atomic(using=alias), connections[alias].cursor() as cursor:
        return distribution.places(cursor, facts.parameters(PUBLIC_SCHEMA))


def _model(cursor: Cursor, made: str) -> tuple[str, str] | None:
    """Name and statements of the schema to compare with, where this role may make one; of one that
    is made already there are none."""
    cursor.execute(_MAY_CREATE)
    ((may_create,),) = cursor.fetchall()
    if not may_create or OWNER_ALIAS not in connections:
        return None
    if made:
        return made, ""
    schema = schema_of(new_id())
    return schema, pattern.script(schema)


def _against(
    cursor: Cursor, model: tuple[str, str], given: Mapping[str, Any], found: list[Gap]
) -> list[Gap]:
    schema, statements = model
    cursor.execute("SAVEPOINT model")
    try:
        if statements:
            pattern.build(cursor, schema, statements)
    except (psycopg.Error, DatabaseError) as fault:
        cursor.execute("ROLLBACK TO SAVEPOINT model")
        sentence = (
            f"No schema could be made from the migrations, to compare with: {_first_line(fault)}"
        )
        return [Gap(DATABASE, "migrations", "migrations_not_replayable", sentence)]
    cursor.execute(_PLAIN_PATH)
    return _compared(cursor, {**given, "pattern": schema}, found)


def _read(cursor: Cursor, subjects: Iterable[Reader], given: Mapping[str, Any]) -> Iterator[Gap]:
    """What the subjects find; one that can't be read is a gap, and the others are read on."""
    for subject in subjects:
        try:
            with undone(cursor, "subject"):
                found = list(subject.read(cursor, given))
        except (psycopg.Error, DatabaseError) as fault:
            codes = ", ".join(subject.sentences)
            sentence = f"Could not be looked for: {codes}. {_first_line(fault)}"
            found = [Gap(DATABASE, "catalogue", "unreadable", sentence)]
        yield from found


def _first_line(fault: Exception) -> str:
    return str(fault).partition("\n")[0]


def _compared(cursor: Cursor, given: Mapping[str, Any], found: list[Gap]) -> list[Gap]:
    """The differences in objects of which, here or in the pattern, nothing better was said."""
    named = {(gap.schema, gap.object) for gap in found}
    unnamed = []
    for gap in _read(cursor, comparison.COMPARISONS, given):
        if named.isdisjoint({(gap.schema, gap.object), (given["pattern"], gap.object)}):
            named.add((gap.schema, gap.object))
            unnamed.append(gap)
    return unnamed
