"""Which tables stand in which schema, and what else stands there that should not."""

from tenants.catalogue.subject import Subject

TABLES = Subject(
    """
SELECT CASE kind WHEN 'tenant' THEN 'table_missing' ELSE 'shared_table_missing' END,
       schema, tab, NULL
  FROM place p
 WHERE NOT EXISTS (SELECT FROM seat s WHERE s.room = p.room AND s.tab = p.tab)
UNION ALL
SELECT CASE c.relkind WHEN 'f' THEN 'foreign_table' WHEN 'S' THEN 'sequence_unknown'
            WHEN 'm' THEN 'materialized_view' ELSE 'table_unknown' END, r.schema, c.relname, NULL
  FROM room r
  JOIN pg_catalog.pg_class c ON c.relnamespace = r.oid AND c.relkind IN ('r', 'p', 'f', 'S', 'm')
 WHERE NOT EXISTS (SELECT FROM seat s WHERE s.oid = c.oid)
   -- A partition stands where its table does, and its table is looked for itself.
   AND NOT (c.relispartition AND c.relkind <> 'f' AND r.oid = (SELECT t.relnamespace
        FROM pg_catalog.pg_class t WHERE t.oid = pg_partition_root(c.oid)))
   AND NOT (c.relkind = 'S' AND EXISTS (SELECT FROM pg_catalog.pg_depend d
        WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = c.oid
          AND d.refclassid = 'pg_catalog.pg_class'::regclass AND d.deptype IN ('a', 'i')))
UNION ALL
SELECT 'view_not_invoker', r.schema, c.relname, NULL
  FROM room r
  JOIN pg_catalog.pg_class c ON c.relnamespace = r.oid AND c.relkind = 'v'
 WHERE NOT EXISTS (SELECT FROM pg_options_to_table(c.reloptions) o
        WHERE o.option_name = 'security_invoker' AND o.option_value::boolean)
UNION ALL
SELECT 'rewrite_rule', r.schema, c.relname || '.' || w.rulename, NULL
  FROM room r
  JOIN pg_catalog.pg_class c ON c.relnamespace = r.oid AND c.relkind IN ('r', 'p')
  JOIN pg_catalog.pg_rewrite w ON w.ev_class = c.oid
""",
    {
        "table_missing": "This tenant table is missing in {schema}; behind a search_path its name"
        " would lead to another schema. Run `manage.py migrate`.",
        "shared_table_missing": "The code has this table, {schema} has not."
        " Run `manage.py migrate`.",
        "table_unknown": "No model knows this table of {schema}, so nothing walls it off."
        " DROP TABLE it, or give it a model.",
        "sequence_unknown": "No column owns this sequence of {schema}. DROP SEQUENCE it.",
        "foreign_table": "A foreign table leads out of the database, past every policy."
        " DROP FOREIGN TABLE {schema}.{object}.",
        "materialized_view": "A materialized view keeps rows of every tenant and has no policies."
        " DROP MATERIALIZED VIEW {schema}.{object}.",
        "view_not_invoker": "This view reads with its owner's rights, not the caller's."
        " ALTER VIEW {schema}.{object} SET (security_invoker = true).",
        "rewrite_rule": "A rule rewrites statements on this table of {schema} before policies see"
        " them. DROP RULE it.",
    },
)

# Rows of an heir are read through its table, whose policies alone are asked then. In a room of ours
# an heir is a table that nobody knows, which TABLES tells.
HEIRS = Subject(
    """
, kin AS (
    SELECT c.oid, c.relnamespace, c.relname, i.inhparent,
           coalesce(pg_partition_root(c.oid)::oid, i.inhparent) AS root
      FROM pg_catalog.pg_inherits i
      JOIN pg_catalog.pg_class c ON c.oid = i.inhrelid AND c.relkind IN ('r', 'p', 'f')
)
SELECT 'table_heir', n.nspname, k.relname, k.inhparent::regclass::text
  FROM kin k
  JOIN pg_catalog.pg_namespace n ON n.oid = k.relnamespace
 WHERE k.oid IN (SELECT oid FROM seat)
    OR k.root IN (SELECT oid FROM seat) AND n.oid NOT IN (SELECT oid FROM room)
""",
    {
        "table_heir": "This table of {schema} is an heir of {detail}, and who reads that reads its"
        " rows past its own policies. ALTER TABLE {schema}.{object} NO INHERIT or detach it.",
    },
)

LASTING = Subject(
    """
SELECT 'table_unlogged', r.schema, c.relname, NULL
  FROM room r
  JOIN pg_catalog.pg_class c ON c.relnamespace = r.oid AND c.relkind = 'r'
 WHERE c.relpersistence <> 'p'
""",
    {
        "table_unlogged": "A crash of the server empties this table of {schema}, and no standby or"
        " backup of its log has it. ALTER TABLE {schema}.{object} SET LOGGED.",
    },
)

OWNERS = Subject(
    """
, thing AS (
    SELECT n.oid AS room, n.nspname::text AS name, n.nspowner AS owner, 'schema' AS what
      FROM pg_catalog.pg_namespace n
    UNION ALL
    SELECT c.relnamespace, c.relname, c.relowner, 'relation' FROM pg_catalog.pg_class c
     WHERE c.relkind IN ('r', 'p', 'f', 'v', 'm')
        OR c.relkind = 'S' AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
             WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = c.oid
               AND d.refclassid = 'pg_catalog.pg_class'::regclass AND d.deptype IN ('a', 'i'))
    UNION ALL
    SELECT p.pronamespace, p.oid::regprocedure::text, p.proowner, 'function'
      FROM pg_catalog.pg_proc p WHERE p.oid >= 16384
)
SELECT 'owner_wrong', n.nspname, t.name, concat(t.what, ' of ', pg_get_userbyid(t.owner))
  FROM thing t
  JOIN pg_catalog.pg_namespace n ON n.oid = t.room
 WHERE (n.nspname = 'bulkhead' OR n.oid IN (SELECT oid FROM room))
   AND pg_get_userbyid(t.owner) NOT IN (%(owner)s, %(app)s)
""",
    {
        "owner_wrong": "A {detail}, whom policies may not bind. ALTER … OWNER TO bulkhead_owner"
        " in {schema}.",
    },
)

STRANGERS = Subject(
    """
, walled_room AS (
    SELECT oid FROM room UNION ALL SELECT to_regnamespace('bulkhead')::oid
)
SELECT 'event_trigger', '(database)', e.evtname, e.evtevent FROM pg_catalog.pg_event_trigger e
UNION ALL
SELECT 'extension', '(database)', e.extname, NULL FROM pg_catalog.pg_extension e
 WHERE e.extname IN ('dblink', 'postgres_fdw', 'file_fdw', 'adminpack', 'lo')
    OR e.extname LIKE 'pl%%u'
UNION ALL
SELECT 'foreign_server', '(database)', s.srvname, NULL FROM pg_catalog.pg_foreign_server s
UNION ALL
SELECT 'publication', '(database)', p.pubname, NULL
  FROM pg_catalog.pg_publication p
 WHERE p.puballtables OR EXISTS (
       SELECT FROM pg_catalog.pg_publication_namespace n
        WHERE n.pnpubid = p.oid AND n.pnnspid IN (SELECT oid FROM walled_room)
       UNION ALL
       SELECT FROM pg_catalog.pg_publication_rel r
         JOIN pg_catalog.pg_class c ON c.oid = r.prrelid
        WHERE r.prpubid = p.oid AND c.relnamespace IN (SELECT oid FROM walled_room))
""",
    {
        "event_trigger": "This event trigger runs at {detail} with whatever rights are at hand."
        " DROP EVENT TRIGGER {object}.",
        "extension": "This extension leads out of the database, past every policy."
        " DROP EXTENSION {object}.",
        "foreign_server": "A foreign server leads out of the database, past every policy."
        " DROP SERVER {object}.",
        "publication": "This publication sends rows out of the database, past every policy."
        " DROP PUBLICATION {object}.",
    },
)
