"""The tenant's own column in every tenant table, and columns that count across tenants."""

from tenants.catalogue.subject import Subject

TENANT_ID = Subject(
    r"""
, tenant_column AS (
    SELECT s.schema, s.tab, a.attnum, a.attnotnull, a.atttypid,
           regexp_replace(pg_get_expr(d.adbin, d.adrelid), %(squashing)s, '\1\2', 'g') AS preset
      FROM seat s
      LEFT JOIN pg_catalog.pg_attribute a
        ON a.attrelid = s.oid AND a.attname = 'tenant_id' AND NOT a.attisdropped
      LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = s.oid AND d.adnum = a.attnum
     WHERE s.kind = 'tenant'
)
SELECT code, schema, tab || '.tenant_id', coalesce(preset, 'none')
  FROM tenant_column CROSS JOIN LATERAL (VALUES
    ('tenant_id_missing', attnum IS NULL),
    ('tenant_id_type', atttypid <> 'uuid'::regtype),
    ('tenant_id_nullable', NOT attnotnull),
    ('tenant_id_default', attnum IS NOT NULL
        AND preset IS DISTINCT FROM %(tenant_default)s)) AS v(code, is_bad)
 WHERE is_bad
""",
    {
        "tenant_id_missing": "A tenant table in {schema} without tenant_id: no policy can tell"
        " whose a row is. Add the column by a migration.",
        "tenant_id_type": "tenant_id is no uuid in {schema}. Change its type by a migration.",
        "tenant_id_nullable": "tenant_id may be NULL in {schema}: such a row is nobody's."
        " ALTER TABLE … ALTER COLUMN tenant_id SET NOT NULL.",
        "tenant_id_default": "The default of tenant_id in {schema} is {detail}, not the entered"
        " tenant. ALTER TABLE … ALTER COLUMN tenant_id SET DEFAULT as tenants/ownership.py says.",
    },
)

SEQUENCES = Subject(
    """
SELECT DISTINCT 'sequence_in_tenant_table', s.schema, s.tab || '.' || a.attname, q.relname
  FROM seat s
  JOIN pg_catalog.pg_depend d
    ON d.classid = 'pg_catalog.pg_class'::regclass AND d.deptype IN ('a', 'i')
   AND d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjid = s.oid
  JOIN pg_catalog.pg_class q ON q.oid = d.objid AND q.relkind = 'S'
  JOIN pg_catalog.pg_attribute a ON a.attrelid = s.oid AND a.attnum = d.refobjsubid
 WHERE s.kind = 'tenant'
UNION
SELECT 'sequence_in_tenant_table', s.schema, s.tab || '.' || a.attname, q.relname
  FROM seat s
  JOIN pg_catalog.pg_attrdef p ON p.adrelid = s.oid
  JOIN pg_catalog.pg_depend d
    ON d.classid = 'pg_catalog.pg_attrdef'::regclass AND d.objid = p.oid
   AND d.refclassid = 'pg_catalog.pg_class'::regclass
  JOIN pg_catalog.pg_class q ON q.oid = d.refobjid AND q.relkind = 'S'
  JOIN pg_catalog.pg_attribute a ON a.attrelid = s.oid AND a.attnum = p.adnum
 WHERE s.kind = 'tenant'
""",
    {
        "sequence_in_tenant_table": "The sequence {detail} numbers rows of all tenants of {schema}"
        " and so shows their volume. Use a UUID instead.",
    },
)
