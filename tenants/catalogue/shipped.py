"""What PostgreSQL brings itself: opened further than it ships it, or made into something else."""

from tenants.catalogue.subject import Subject
from tenants.lifecycle.shipped_functions import DEFINITION, RELEASE

# `pg_init_privs` keeps the grants of initdb; a function without an entry has the usual ones. The
# views of information_schema, made last, have none there: all but their basis are for everybody.
OPENED = Subject(
    """
, shipped AS (
    SELECT i.classoid, i.objoid, i.objsubid, i.initprivs
      FROM pg_catalog.pg_init_privs i WHERE i.privtype = 'i'
), opened AS (
    SELECT 'shipped_function_open' AS code, p.pronamespace AS room,
           p.oid::regprocedure::text AS name, a.*
      FROM pg_catalog.pg_proc p
      LEFT JOIN shipped s ON s.classoid = 'pg_catalog.pg_proc'::regclass AND s.objoid = p.oid
     CROSS JOIN LATERAL aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
     WHERE p.oid < 16384 AND a.grantee <> p.proowner
       AND (a.is_grantable OR NOT EXISTS (
            SELECT FROM aclexplode(coalesce(s.initprivs, acldefault('f', p.proowner))) g
             WHERE g.grantee IN (0, a.grantee)))
       AND NOT (a.grantee = to_regrole(%(backup)s) AND NOT a.is_grantable
            AND p.oid = ANY (%(backup_functions)s::regprocedure[]))
    UNION ALL
    -- What the application is granted itself, `grants` finds.
    SELECT 'shipped_table_open', c.relnamespace, concat_ws('.', c.relname, t.attname), a.*
      FROM pg_catalog.pg_class c
     CROSS JOIN LATERAL (
            SELECT NULL::name AS attname, 0 AS attnum, c.relacl AS acl
            UNION ALL
            SELECT t.attname, t.attnum, t.attacl FROM pg_catalog.pg_attribute t
             WHERE t.attrelid = c.oid AND t.attacl IS NOT NULL) t
     CROSS JOIN LATERAL aclexplode(t.acl) a
     WHERE c.oid < 16384 AND a.grantee NOT IN (c.relowner, coalesce(to_regrole(%(app)s)::oid, 0))
       AND NOT EXISTS (
            SELECT FROM shipped s CROSS JOIN LATERAL aclexplode(s.initprivs) g
             WHERE s.classoid = 'pg_catalog.pg_class'::regclass AND s.objoid = c.oid
               AND s.objsubid IN (0, t.attnum)
               AND g.grantee IN (0, a.grantee) AND g.privilege_type = a.privilege_type)
       AND NOT (c.relnamespace = to_regnamespace('information_schema')
            AND NOT starts_with(c.relname::text, '_pg_') AND a.privilege_type = 'SELECT')
)
SELECT o.code, n.nspname, o.name, string_agg(DISTINCT concat(o.privilege_type, ' to ',
       CASE o.grantee WHEN 0 THEN 'PUBLIC' ELSE pg_get_userbyid(o.grantee) END), ', ')
  FROM opened o JOIN pg_catalog.pg_namespace n ON n.oid = o.room
 WHERE o.grantee IN (SELECT oid FROM application)
 GROUP BY 1, 2, 3
""",
    {
        "shipped_function_open": "PostgreSQL ships this function closed, and the application may"
        " call it: {detail}. REVOKE ALL ON FUNCTION {object}.",
        "shipped_table_open": "PostgreSQL ships this table closed, and the application may use it:"
        " {detail}. REVOKE it on {schema}.{object}.",
    },
)

# No catalogue keeps how PostgreSQL ships a function, but its row does: initdb writes those of
# `pg_proc.dat` as transaction 1, which no later one is ever numbered, and neither freezing nor
# rewriting the table changes that. Every leakproof function it ships is such a row still; to one
# that was written again since, the planner's trust was given by somebody else.
ALTERED = Subject(
    """
SELECT 'shipped_function_altered', n.nspname, p.oid::regprocedure::text,
       string_agg(v.what, ', ')
  FROM pg_catalog.pg_proc p
  JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
  JOIN pg_catalog.pg_language l ON l.oid = p.prolang
 CROSS JOIN LATERAL (VALUES
    ('LEAKPROOF', p.proleakproof AND p.xmin <> '1'::xid),
    ('SECURITY DEFINER', p.prosecdef),
    ('owned by ' || pg_get_userbyid(p.proowner), p.proowner <> 10),
    ('with settings of its own', p.proconfig IS NOT NULL),
    ('written in ' || l.lanname, l.lanname NOT IN ('internal', 'c', 'sql'))) AS v(what, is_so)
 WHERE p.oid < 16384 AND v.is_so
 GROUP BY n.nspname, p.oid
UNION ALL
SELECT DISTINCT 'shipped_view_altered', n.nspname, c.relname,
       pg_describe_object(d.refclassid, d.refobjid, 0)
  FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_catalog.pg_rewrite w ON w.ev_class = c.oid
  JOIN pg_catalog.pg_depend d
    ON d.classid = 'pg_catalog.pg_rewrite'::regclass AND d.objid = w.oid AND d.refobjid >= 16384
 WHERE c.oid < 16384
""",
    {
        "shipped_function_altered": "PostgreSQL does not ship this function {detail}. ALTER"
        " FUNCTION {object} back: NOT LEAKPROOF, SECURITY INVOKER, the superuser's.",
        "shipped_view_altered": "PostgreSQL's own view reads from {detail}, with its owner's"
        " rights. CREATE OR REPLACE VIEW {schema}.{object} as PostgreSQL ships it.",
    },
)

# Only the owner may read what was recorded. Rows of transaction 1 are as initdb wrote them.
REPLACED = Subject(
    f"""
, recorded AS (
    SELECT f.signature, f.definition FROM bulkhead.function_record f WHERE f.release = {RELEASE}
), standing AS (
    SELECT n.nspname, p.oid::regprocedure::text AS signature, l.lanname, p.prosrc,
           {DEFINITION} AS definition
      FROM pg_catalog.pg_proc p
      JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
      JOIN pg_catalog.pg_language l ON l.oid = p.prolang
     -- One in another language `ALTERED` tells.
     WHERE p.oid < 16384 AND p.xmin <> '1'::xid AND l.lanname IN ('internal', 'c', 'sql')
)
SELECT 'shipped_function_replaced', s.nspname, s.signature, concat(s.lanname, ' ', s.prosrc)
  FROM standing s LEFT JOIN recorded r USING (signature)
 WHERE s.definition IS DISTINCT FROM r.definition AND EXISTS (SELECT FROM recorded)
UNION ALL
SELECT 'shipped_functions_unrecorded', '(database)', 'function_record', {RELEASE}::text
 WHERE NOT EXISTS (SELECT FROM recorded)
""",  # noqa: S608 - joined from constants
    {
        "shipped_function_replaced": "This function of PostgreSQL's does something else than when"
        " the database was first migrated on this release: it is {detail} now. CREATE OR REPLACE"
        " it as PostgreSQL ships it.",
        "shipped_functions_unrecorded": "It is not on record how PostgreSQL {detail} ships its"
        " functions, so that nobody can tell if one is replaced. Run `manage.py migrate`.",
    },
)
