"""Every schema against the pattern: columns, constraints, indexes, triggers, exact policies.

Definitions are compared as PostgreSQL prints them, with the schema's name taken out, and inside the
database: only what differs comes back.
"""

from __future__ import annotations

from tenants.catalogue.subject import Subject

# Each gives schema, table, name and definition of all items of the tables in `plot`.
_COLUMNS = """
    SELECT p.schema, p.tab, a.attname::text AS name,
           concat(format_type(a.atttypid, a.atttypmod),
               CASE WHEN a.attcollation <> t.typcollation
                    THEN ' COLLATE ' || a.attcollation::regcollation::text END,
               CASE WHEN a.attnotnull THEN ' NOT NULL' END,
               CASE WHEN a.attidentity <> '' THEN ' IDENTITY' END,
               CASE WHEN a.attgenerated <> '' THEN ' GENERATED' END,
               ' DEFAULT ' || pg_get_expr(d.adbin, d.adrelid)) AS definition
      FROM plot p
      JOIN pg_catalog.pg_attribute a ON a.attrelid = p.oid AND a.attnum > 0 AND NOT a.attisdropped
      JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
      LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
     WHERE p.kind <> 'bookkeeping'
"""
_CONSTRAINTS = """
    SELECT p.schema, p.tab, k.conname::text AS name, pg_get_constraintdef(k.oid) AS definition
      FROM plot p JOIN pg_catalog.pg_constraint k ON k.conrelid = p.oid
     WHERE p.kind <> 'bookkeeping' AND k.contype IN ('p', 'u', 'f', 'c', 'x')
       -- The constant of a dedicated schema, of which safeguards.CONSTANT tells.
       AND (k.conname <> p.tab || '_one_tenant' OR k.contype <> 'c' OR p.schema = 'public')
"""
_INDEXES = """
    SELECT p.schema, p.tab, c.relname::text AS name,
           replace(pg_get_indexdef(x.indexrelid), ' ON ONLY ', ' ON ') AS definition
      FROM plot p
      JOIN pg_catalog.pg_index x ON x.indrelid = p.oid
      JOIN pg_catalog.pg_class c ON c.oid = x.indexrelid
     WHERE p.kind <> 'bookkeeping'
"""
_TRIGGERS = """
    SELECT p.schema, p.tab, t.tgname::text AS name, pg_get_triggerdef(t.oid) AS definition
      FROM plot p JOIN pg_catalog.pg_trigger t ON t.tgrelid = p.oid AND NOT t.tgisinternal
     WHERE p.kind <> 'bookkeeping'
"""
_POLICIES = """
    SELECT p.schema, p.tab, w.polname::text AS name,
           concat('USING ', pg_get_expr(w.polqual, w.polrelid),
               ' WITH CHECK ', pg_get_expr(w.polwithcheck, w.polrelid)) AS definition
      FROM plot p JOIN pg_catalog.pg_policy w ON w.polrelid = p.oid
     WHERE p.kind <> 'bookkeeping'
"""

_PLOT = """
, plot AS (
    SELECT c.oid, n.nspname::text AS schema, k.tab, k.kind
      FROM known k
      JOIN pg_catalog.pg_class c ON c.relname = k.tab AND c.relkind IN ('r', 'p')
      JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname = %(pattern)s OR c.oid IN (SELECT oid FROM seat)
), item AS (
"""
_DIFFERENCE = """
), plain AS (
    SELECT schema, tab, name, replace(definition, schema, 'public') AS definition FROM item
), due AS (
    SELECT s.schema, e.tab, e.name, e.definition
      FROM plain e JOIN seat s USING (tab)
     WHERE e.schema = %(pattern)s AND s.schema <> %(pattern)s
), found AS (
    SELECT * FROM plain WHERE schema <> %(pattern)s
)
SELECT CASE WHEN found.definition IS NULL THEN 'KIND_missing'
            WHEN due.definition IS NULL THEN 'KIND_extra' ELSE 'KIND_altered' END,
       schema, tab || '.' || name, coalesce(found.definition, due.definition)
  FROM due FULL JOIN found USING (schema, tab, name)
 WHERE due.definition IS DISTINCT FROM found.definition
"""


def _comparison(kind: str, items: str) -> Subject:
    sentences = {
        f"{kind}_missing": f"{{schema}} lacks this {kind}, which the migrations make: {{detail}}."
        " Create it there.",
        f"{kind}_extra": f"No migration makes this {kind} of {{schema}}: {{detail}}."
        " Drop it there.",
        f"{kind}_altered": f"The migrations make this {kind} of {{schema}} otherwise: {{detail}}."
        " Change it back there.",
    }
    return Subject(_PLOT + items + _DIFFERENCE.replace("KIND", kind), sentences)


COMPARISONS = (
    _comparison("column", _COLUMNS),
    _comparison("constraint", _CONSTRAINTS),
    _comparison("index", _INDEXES),
    _comparison("trigger", _TRIGGERS),
    _comparison("policy", _POLICIES),
)
