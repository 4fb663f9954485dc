"""Which schemas lack a migration: one question to the ledger, however many there are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import ProgrammingError, connections
from psycopg.errors import UndefinedTable

from tenants.backend.routers import OWNER_ALIAS
from tenants.fleet.errors import NoSuchCanary
from tenants.identifiers import PUBLIC_SCHEMA
from tenants.lifecycle import ledger, targets
from tenants.lifecycle.errors import OwnerLoginMissing

# A move that was broken off has a schema in which its tenant does not live yet, or no more.
_DUE = """
SELECT s.schema, s.slug, coalesce(l.error, '')
  FROM (SELECT 'public' AS schema, '' AS slug, %(public)s AS digest
         UNION ALL
        SELECT t.schema_name, t.slug, %(dedicated)s
          FROM public.tenants_tenant t
         WHERE (t.placement = 'dedicated' OR EXISTS (
                   SELECT FROM public.tenants_tenantmove m
                    WHERE m.tenant_id = t.id AND m.finished_at IS NULL))
           AND pg_catalog.to_regnamespace(t.schema_name) IS NOT NULL) s
  LEFT JOIN bulkhead.fleet_ledger l USING (schema)
 WHERE l.digest IS DISTINCT FROM s.digest
 ORDER BY s.schema <> 'public', s.schema
"""
_DEDICATED = """
SELECT EXISTS (SELECT FROM public.tenants_tenant WHERE slug = %s AND placement = 'dedicated')
"""


@dataclass(frozen=True, slots=True)
class Due:
    """A schema that lacks something; `error` says why it still does, if that was tried."""

    schema: str
    slug: str = ""
    error: str = ""


def due() -> list[Due]:
    """`public` first, then dedicated schemas, the oldest first. Raises OwnerLoginMissing."""
    public = ledger.digest(targets.of_public())
    dedicated = ledger.digest(targets.of_dedicated())
    rows = _asked(_DUE, {"public": public, "dedicated": dedicated})
    return [Due(PUBLIC_SCHEMA)] if rows is None else [Due(*row) for row in rows]


def check_canary(slug: str) -> None:
    """Raises NoSuchCanary for one that has no schema."""
    if _asked(_DEDICATED, [slug]) != [(True,)]:
        raise NoSuchCanary(f"{slug!r} has no schema of its own.")


def canary(waiting: Sequence[Due], slug: str | None) -> Due:
    """Who goes first: the one that was asked for, if it lacks anything, or else the oldest."""
    return next((one for one in waiting if one.slug == slug), waiting[0])


def _asked(query: str, values: Any) -> list[tuple[Any, ...]] | None:
    """Past Django's cursor, which would set the search_path first: one question, one message.

    None before the migrations that make the tables asked.
    """
    if OWNER_ALIAS not in connections:
        raise OwnerLoginMissing("Set DATABASE_OWNER_URL: this process may not change schemas.")
    owner = connections[OWNER_ALIAS]
    owner.ensure_connection()
    try:
        with owner.wrap_database_errors:
            return list(owner.connection.execute(query, values).fetchall())
    except ProgrammingError as fault:
        if isinstance(fault.__cause__, UndefinedTable):
            return None
        raise
