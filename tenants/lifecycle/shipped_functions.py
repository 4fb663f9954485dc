"""PostgreSQL's own functions as this database found them, for `check_isolation` to hold them to.

No catalogue keeps how PostgreSQL ships a function, and what an outside server ships nobody here
knows: what stands at the first migration on a release is taken for it, and never taken again.
"""

from __future__ import annotations

from tenants.cursors import Cursor

# What a function does and how it may be used; who owns and who may call it, others look at.
DEFINITION = """
concat_ws(' ', l.lanname, p.prokind, p.provolatile, p.proisstrict, p.proretset, p.proparallel,
    p.prorettype::regtype, p.prosupport, p.prosrc, p.probin, pg_get_function_sqlbody(p.oid))
"""
# Below 16384 is what initdb made. No release changes it in an installation that is there.
RELEASE = "(current_setting('server_version_num')::integer / 10000)"
_PLAIN_PATH = "SET LOCAL search_path = pg_catalog, pg_temp"  # signatures are printed by it
_RECORD = f"""
INSERT INTO bulkhead.function_record (release, signature, definition)
SELECT {RELEASE}, p.oid::regprocedure::text, {DEFINITION}
  FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_language l ON l.oid = p.prolang
 WHERE p.oid < 16384
   AND NOT EXISTS (SELECT FROM bulkhead.function_record f WHERE f.release = {RELEASE})
    ON CONFLICT DO NOTHING
"""  # noqa: S608 - joined from constants


def record(cursor: Cursor) -> None:
    """Write them down, unless that was done on this release before. The search_path is changed."""
    cursor.execute(_PLAIN_PATH)
    cursor.execute(_RECORD)
