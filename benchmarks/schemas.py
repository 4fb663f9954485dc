"""Makes dedicated schemas in both ways, in turn: by replay, and by Django's own `migrate`.

`python -m benchmarks.schemas REPLAYS MIGRATIONS` needs the owner's log-in and prints JSON; with 0
and 0 it tells only what the first schema of a process takes.
"""

from __future__ import annotations

import json
import random
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime

import django

# What stands in a schema, as PostgreSQL prints it, with the schema and its tenant taken out.
_CATALOGUE = """
WITH t AS (
    SELECT c.* FROM pg_catalog.pg_class c
     WHERE c.relnamespace = %(schema)s::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'S')
), item (kind, name, definition) AS (
    SELECT 'table', t.relname, concat_ws(' ', t.relkind, t.relrowsecurity, t.relforcerowsecurity,
           t.relowner::regrole, (SELECT array_agg(a::text ORDER BY a::text)
                                   FROM unnest(t.relacl) a)) FROM t
    UNION ALL
    SELECT 'column', t.relname || '.' || a.attname, concat_ws(' ', a.attnum,
           format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity,
           pg_get_expr(d.adbin, d.adrelid))
      FROM t JOIN pg_catalog.pg_attribute a ON a.attrelid = t.oid AND a.attnum > 0
      LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = t.oid AND d.adnum = a.attnum
    UNION ALL
    SELECT 'constraint', t.relname || '.' || k.conname, pg_get_constraintdef(k.oid)
      FROM t JOIN pg_catalog.pg_constraint k ON k.conrelid = t.oid
    UNION ALL
    SELECT 'index', i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid)
      FROM t JOIN pg_catalog.pg_index i ON i.indrelid = t.oid
    UNION ALL
    SELECT 'policy', t.relname || '.' || p.polname, concat_ws(' ', p.polcmd, p.polpermissive,
           p.polroles::regrole[], pg_get_expr(p.polqual, t.oid), pg_get_expr(p.polwithcheck, t.oid))
      FROM t JOIN pg_catalog.pg_policy p ON p.polrelid = t.oid
    UNION ALL
    SELECT 'trigger', t.relname || '.' || g.tgname, concat_ws(' ', g.tgenabled,
           pg_get_triggerdef(g.oid))
      FROM t JOIN pg_catalog.pg_trigger g ON g.tgrelid = t.oid AND NOT g.tgisinternal
)
SELECT kind, name, definition FROM item
"""


def replay() -> tuple[str, float]:
    """A schema as `create_tenant` makes it; gives its name and the seconds it took."""
    from tenants.identifiers import new_id, schema_of
    from tenants.lifecycle import provisioning

    schema = schema_of(new_id())
    started = time.perf_counter()
    provisioning.create_schema(schema, now=datetime.now(UTC))
    return schema, time.perf_counter() - started


def migrate() -> tuple[str, float]:
    """The same by Django's `migrate`, on an empty schema."""
    from django.core.management import call_command
    from django.core.management.commands.migrate import Command
    from django_tenants.utils import schema_context

    from tenants.backend.routers import OWNER_ALIAS
    from tenants.identifiers import new_id, schema_of
    from tenants.lifecycle import provisioning
    from tenants.roles import APP

    schema = schema_of(new_id())
    started = time.perf_counter()
    with provisioning.owner_cursor() as cursor:
        cursor.execute(f"CREATE SCHEMA {schema}")
        cursor.execute(f"GRANT USAGE ON SCHEMA {schema} TO {APP}")
    with schema_context(schema, database=OWNER_ALIAS):
        call_command(Command(), database=OWNER_ALIAS, verbosity=0, skip_checks=True)
    return schema, time.perf_counter() - started


def catalogue(schema: str) -> dict[str, str]:
    """Everything in a schema by kind and name, in words that fit any schema."""
    from tenants.identifiers import tenant_of
    from tenants.lifecycle import provisioning

    with provisioning.owner_cursor() as cursor:
        cursor.execute(_CATALOGUE, {"schema": schema})
        rows = cursor.fetchall()
    plain = (tuple(str(part) for part in row) for row in rows)
    words = str(tenant_of(schema))
    return {
        f"{kind} {name}".replace(schema, "…"): definition.replace(schema, "…").replace(words, "…")
        for kind, name, definition in plain
    }


def main() -> None:
    replays, migrations = int(sys.argv[1]), int(sys.argv[2])
    django.setup()
    first = replay()[1]
    if not replays:
        print(json.dumps({"first": first}))
        return
    work: list[tuple[str, Callable[[], tuple[str, float]]]] = [
        *[("replay", replay)] * replays,
        *[("migrate", migrate)] * migrations,
    ]
    seconds: dict[str, list[float]] = {"replay": [], "migrate": []}
    made: dict[str, str] = {}
    for way, make in random.sample(work, len(work)):
        made[way], took = make()
        seconds[way].append(took)
    replayed, migrated = catalogue(made["replay"]), catalogue(made["migrate"])
    differ = {k for k in replayed | migrated if replayed.get(k) != migrated.get(k)}
    found = {**seconds, "items": len(replayed), "differences": sorted(differ)}
    print(json.dumps(found))


if __name__ == "__main__":
    main()
