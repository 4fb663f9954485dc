"""What is left of a tenant anywhere: in any table, any key, any file."""

from __future__ import annotations

from typing import Any

from django.conf import settings

from tenants.models import Tenant
from tests.isolation import valkey
from tests.isolation.database import connected

# The row that keeps the slug, the platform's trail, which says who deleted what and when, and which
# backup was the last.
KEPT = {"public.tenants_tenant", "public.accounts_platformevent", "public.backups_backup"}
_TABLES = """
SELECT n.nspname::text, c.relname::text
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition
   AND (n.nspname IN ('public', 'bulkhead') OR n.nspname = %s)
"""
_OWN = """
SELECT table_schema::text, table_name::text FROM information_schema.columns
 WHERE column_name = 'tenant_id' AND (table_schema = 'public' OR table_schema = %s)
"""


def mentions(tenant: Tenant) -> set[str]:
    """Tables in any row of which the tenant's id stands, wherever in the row."""
    found = set()
    with connected("DATABASE_SUPERUSER_URL") as database:
        for schema, table in database.execute(_TABLES, [tenant.schema_name]).fetchall():
            query = f"""SELECT EXISTS (SELECT FROM "{schema}"."{table}" t WHERE t::text LIKE %s)"""
            row = database.execute(query.encode(), [f"%{tenant.pk}%"]).fetchone()
            if row and row[0]:
                found.add(f"{schema}.{table}")
    return found


def rows(tenant: Tenant) -> dict[str, list[Any]]:
    """Every row that names the tenant as its own, by table."""
    found = {}
    with connected("DATABASE_SUPERUSER_URL") as database:
        for schema, table in database.execute(_OWN, [tenant.schema_name]).fetchall():
            name = f'"{schema}"."{table}"'
            query = f"SELECT to_jsonb(t) FROM {name} t WHERE tenant_id = %s ORDER BY to_jsonb(t)"
            found[name] = database.execute(query.encode(), [tenant.pk]).fetchall()
    return found


def keys(tenant: Tenant) -> list[bytes]:
    """Keys of Valkey in which the tenant's id stands, name or value; but for tasks on their way,
    which are fetched and find nobody."""
    named = str(tenant.pk).encode()
    apart = (settings.OPERATORS_QUEUE, settings.BACKUPS_QUEUE)
    queues = _bytes((settings.CELERY_TASK_DEFAULT_QUEUE, *apart, "unacked"))
    ours = [(key, held) for key, held in valkey.contents() if not key.startswith(queues)]
    return [key for key, held in ours if named in key or named in held]


def has_files(tenant: Tenant) -> bool:
    return (settings.BULKHEAD_DATA_DIR / "files" / "tenants" / str(tenant.pk)).exists()


def has_schema(tenant: Tenant) -> bool:
    with connected("DATABASE_SUPERUSER_URL") as database:
        row = database.execute("SELECT to_regnamespace(%s)", [tenant.schema_name]).fetchone()
        return bool(row and row[0])


def _bytes(names: tuple[str, ...]) -> tuple[bytes, ...]:
    return tuple(name.encode() for name in names)
