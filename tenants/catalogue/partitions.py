"""Partitions: reached through their table nobody asks their own grants and policies, and reached by
their own name nobody asks the table's."""

from tenants.catalogue.subject import Subject

PARTITIONS = Subject(
    """
, rules AS (
    SELECT polrelid AS oid, string_agg(concat_ws(' ', polname, polcmd, polpermissive, polroles,
           'USING', pg_get_expr(polqual, polrelid),
           'WITH CHECK', pg_get_expr(polwithcheck, polrelid)), '; ' ORDER BY polname) AS text
      FROM pg_catalog.pg_policy GROUP BY polrelid
), held AS (
    SELECT n.nspname::text AS schema, c.oid, c.relname::text AS tab, c.relrowsecurity,
           c.relforcerowsecurity, pg_partition_root(c.oid)::oid AS root, a.privilege_type,
           a.is_grantable,
           CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE pg_get_userbyid(a.grantee)::text END AS who
      FROM pg_catalog.pg_class c
      JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     CROSS JOIN LATERAL aclexplode(c.relacl) a
     WHERE c.relispartition AND c.relkind IN ('r', 'p', 'f') AND a.grantee <> c.relowner
       AND (n.nspname = 'bulkhead' OR n.oid IN (SELECT oid FROM room)
            OR a.grantee IN (0, to_regrole(%(app)s)::oid))
), judged AS (
    SELECT h.schema, h.tab, h.privilege_type, h.who, CASE
        WHEN NOT h.relrowsecurity THEN 'partition_open'
        WHEN h.who <> %(app)s OR s.oid IS NULL OR h.privilege_type <> ALL (s.privileges)
            OR h.is_grantable THEN 'partition_grant'
        WHEN own.text IS DISTINCT FROM due.text OR h.relforcerowsecurity <> s.relforcerowsecurity
            THEN 'partition_policies'
        END AS code
      FROM held h
      LEFT JOIN seat s ON s.oid = h.root
      LEFT JOIN rules own ON own.oid = h.oid
      LEFT JOIN rules due ON due.oid = h.root
)
SELECT code, schema, tab, string_agg(concat(privilege_type, ' to ', who), ', '
       ORDER BY privilege_type, who)
  FROM judged WHERE code IS NOT NULL GROUP BY code, schema, tab
""",
    {
        "partition_open": "A partition without policies is open past its table's: {detail}."
        " REVOKE ALL ON {schema}.{object} from all but its owner.",
        "partition_grant": "This partition is open to what its table's wall does not give:"
        " {detail}. REVOKE it on {schema}.{object}.",
        "partition_policies": "Under its own name ({detail}) this partition has not the policies of"
        " its table. REVOKE ALL ON {schema}.{object} from all but its owner.",
    },
)

# What a partition has of its table PostgreSQL keeps as it is there, and the table is compared with
# the pattern. What hangs on the partition itself every row meets that comes through the table.
OWN = Subject(
    """
, own AS (
    SELECT p.schema, p.tab, t.tgname AS name, pg_get_triggerdef(t.oid) AS definition
      FROM part p
      JOIN pg_catalog.pg_trigger t
        ON t.tgrelid = p.oid AND NOT t.tgisinternal AND t.tgparentid = 0
    UNION ALL
    -- A column that is not to be NULL is looked for below, and a trigger's constraint above.
    SELECT p.schema, p.tab, k.conname, pg_get_constraintdef(k.oid)
      FROM part p
      JOIN pg_catalog.pg_constraint k
        ON k.conrelid = p.oid AND k.coninhcount = 0 AND k.contype NOT IN ('n', 't')
    UNION ALL
    SELECT p.schema, p.tab, c.relname, pg_get_indexdef(c.oid)
      FROM part p
      JOIN pg_catalog.pg_index x ON x.indrelid = p.oid
      JOIN pg_catalog.pg_class c ON c.oid = x.indexrelid AND NOT c.relispartition
     WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_constraint k
            WHERE k.conrelid = p.oid AND k.conindid = c.oid)
), value AS (
    SELECT a.attrelid, a.attname, concat_ws(' ', CASE WHEN a.attnotnull THEN 'NOT NULL' END,
               CASE a.attgenerated WHEN '' THEN 'DEFAULT' ELSE 'GENERATED' END,
               coalesce(pg_get_expr(d.adbin, d.adrelid), 'NULL')) AS definition
      FROM pg_catalog.pg_attribute a
      LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
     WHERE a.attnum > 0 AND NOT a.attisdropped
       AND a.attrelid IN (SELECT oid FROM part UNION SELECT parent FROM part)
)
SELECT 'partition_differs', schema, tab || '.' || name, definition FROM own
UNION ALL
SELECT 'partition_differs', p.schema, p.tab || '.' || v.attname, v.definition
  FROM part p
  JOIN value v ON v.attrelid = p.oid
  JOIN value due ON due.attrelid = p.parent AND due.attname = v.attname
 WHERE v.definition <> due.definition
""",
    {
        "partition_differs": "This partition of {schema} has what its table has not, and each row"
        " that comes through the table meets it: {detail}. Drop it there, or change it back.",
    },
)
