"""Privileges on tables and columns: the application has what its walls say, others nothing.

But for the role that moves tenants, which has the same right to each of their tables.
"""

from tenants.catalogue.subject import Subject

TABLES = Subject(
    """
, held AS (
    SELECT n.nspname::text AS schema, c.oid, c.relname::text AS tab, a.privilege_type,
           a.is_grantable,
           CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE pg_get_userbyid(a.grantee)::text END AS who
      FROM pg_catalog.pg_class c
      JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     CROSS JOIN LATERAL aclexplode(c.relacl) a
     WHERE a.grantee <> c.relowner AND NOT c.relispartition
       AND (n.nspname = 'bulkhead' OR n.oid IN (SELECT oid FROM room)
            OR a.grantee = to_regrole(%(app)s)::oid
            OR c.oid >= 16384 AND a.grantee IN (SELECT oid FROM application))
), judged AS (
    SELECT h.schema, h.tab, h.who, h.privilege_type, CASE
        WHEN h.who = 'PUBLIC' THEN 'grant_to_public'
        WHEN h.who = %(mover)s AND NOT h.is_grantable AND (
             s.kind = 'tenant' AND h.privilege_type = ANY (%(moving)s::text[])
             OR h.schema = 'bulkhead' AND h.tab = 'changed_row'
             AND h.privilege_type IN ('SELECT', 'DELETE')) THEN NULL
        WHEN h.who <> %(app)s THEN 'grant_to_other'
        WHEN s.oid IS NULL OR h.privilege_type <> ALL (s.privileges) THEN 'grant_beyond'
        WHEN h.is_grantable THEN 'grant_option' END AS code
      FROM held h LEFT JOIN seat s ON s.oid = h.oid
), lacking AS (
    SELECT s.schema, s.tab, %(app)s::text AS who, p.privilege
      FROM seat s CROSS JOIN LATERAL unnest(s.privileges) AS p(privilege)
     WHERE s.relowner <> to_regrole(%(app)s)::oid
    UNION ALL
    SELECT s.schema, s.tab, %(mover)s, p.privilege
      FROM seat s CROSS JOIN LATERAL unnest(%(moving)s::text[]) AS p(privilege)
     WHERE s.kind = 'tenant'
    EXCEPT
    SELECT h.schema, h.tab, h.who, h.privilege_type FROM held h
)
SELECT code, schema, tab,
       concat(string_agg(privilege_type, ', ' ORDER BY privilege_type), ' to ', who)
  FROM judged WHERE code IS NOT NULL GROUP BY code, schema, tab, who
UNION ALL
SELECT 'grant_missing', schema, tab,
       concat(string_agg(privilege, ', ' ORDER BY privilege), ' to ', who)
  FROM lacking GROUP BY schema, tab, who
""",
    {
        "grant_beyond": "The application holds more than this table's wall gives: {detail}."
        " REVOKE it on {schema}.{object}.",
        "grant_option": "The application may hand on what it holds: {detail}. REVOKE GRANT OPTION"
        " FOR it on {schema}.{object}.",
        "grant_to_public": "Every role may use this table: {detail}."
        " REVOKE ALL ON {schema}.{object} FROM PUBLIC.",
        "grant_to_other": "A role that has no business here holds {detail}."
        " REVOKE it on {schema}.{object}.",
        "grant_missing": "This table's wall gives {detail}, and it is gone."
        " GRANT it on {schema}.{object}.",
    },
)

COLUMNS = Subject(
    """
SELECT 'column_grant', n.nspname, c.relname || '.' || t.attname,
       string_agg(concat(a.privilege_type, ' to ', CASE a.grantee WHEN 0 THEN 'PUBLIC'
                  ELSE pg_get_userbyid(a.grantee) END,
                  CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' END), ', ')
  FROM pg_catalog.pg_attribute t
  JOIN pg_catalog.pg_class c ON c.oid = t.attrelid
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 CROSS JOIN LATERAL aclexplode(t.attacl) a
 WHERE t.attacl IS NOT NULL AND a.grantee <> c.relowner
   AND (n.nspname = 'bulkhead' OR n.oid IN (SELECT oid FROM room)
        OR a.grantee = to_regrole(%(app)s)::oid
        OR c.oid >= 16384 AND a.grantee IN (SELECT oid FROM application))
 GROUP BY 2, 3
""",
    {
        "column_grant": "A grant on one column stands past the table's: {detail}. REVOKE it in"
        " {schema}.",
    },
)

DEFAULTS = Subject(
    """
SELECT 'default_privileges', coalesce(n.nspname, '(database)'),
       concat('default privileges of ', pg_get_userbyid(d.defaclrole)),
       string_agg(a.privilege_type || ' to ' || CASE a.grantee WHEN 0 THEN 'PUBLIC'
                  ELSE pg_get_userbyid(a.grantee) END, ', ')
  FROM pg_catalog.pg_default_acl d
  LEFT JOIN pg_catalog.pg_namespace n ON n.oid = d.defaclnamespace
 CROSS JOIN LATERAL aclexplode(d.defaclacl) a
 WHERE a.grantee IN (0, to_regrole(%(app)s)::oid)
 GROUP BY 2, 3
""",
    {
        "default_privileges": "What is made next would be open without anyone granting it:"
        " {detail}. ALTER DEFAULT PRIVILEGES … REVOKE it.",
    },
)

# The database, schemas, languages and server parameters.
ABOVE = Subject(
    """
, held AS (
    SELECT '(database)' AS schema, 'database ' || d.datname AS name, a.*,
           'CONNECT' AS of_all, NULL AS of_app
      FROM pg_catalog.pg_database d
     CROSS JOIN LATERAL aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) a
     WHERE d.datname = current_database() AND a.grantee <> d.datdba
       AND pg_get_userbyid(a.grantee) <> %(owner)s
    UNION ALL
    SELECT n.nspname, 'schema ' || n.nspname, a.*,
           CASE WHEN n.nspname = 'public' THEN 'USAGE' END,
           CASE WHEN n.oid IN (SELECT oid FROM room) THEN 'USAGE' END
      FROM pg_catalog.pg_namespace n
     CROSS JOIN LATERAL aclexplode(coalesce(n.nspacl, acldefault('n', n.nspowner))) a
     WHERE a.grantee <> n.nspowner AND (n.oid >= 16384 OR n.nspname = 'public')
        OR a.privilege_type = 'CREATE' AND a.grantee IN (0, to_regrole(%(app)s)::oid)
    UNION ALL
    SELECT '(database)', 'language ' || l.lanname, a.*, NULL, NULL
      FROM pg_catalog.pg_language l
     CROSS JOIN LATERAL aclexplode(coalesce(l.lanacl, acldefault('l', l.lanowner))) a
     WHERE a.grantee IN (0, to_regrole(%(app)s)::oid) AND l.lanispl
    UNION ALL
    SELECT '(database)', 'parameter ' || p.parname, a.*, NULL, NULL
      FROM pg_catalog.pg_parameter_acl p CROSS JOIN LATERAL aclexplode(p.paracl) a
     WHERE a.grantee IN (0, to_regrole(%(app)s)::oid)
), excess AS (
    SELECT schema, name,
           concat(privilege_type, CASE WHEN is_grantable THEN ' WITH GRANT OPTION' END)
               AS privilege_type,
           CASE grantee WHEN 0 THEN 'PUBLIC' ELSE pg_get_userbyid(grantee)::text END AS who
      FROM held
     WHERE is_grantable
        OR NOT (pg_get_userbyid(grantee) IN (%(app)s, %(backup)s)
                AND privilege_type IS NOT DISTINCT FROM of_all)
       AND NOT (pg_get_userbyid(grantee) = %(app)s AND privilege_type IS NOT DISTINCT FROM of_app)
       AND NOT (pg_get_userbyid(grantee) = %(mover)s AND privilege_type = 'USAGE'
                AND (of_app = 'USAGE' OR name = 'schema bulkhead'))
)
SELECT 'grant_above', schema, name,
       concat(string_agg(privilege_type, ', ' ORDER BY privilege_type), ' to ', who)
  FROM excess GROUP BY schema, name, who
UNION ALL
SELECT 'grant_lacking', r.schema, 'schema ' || r.schema, concat('USAGE to ', %(app)s::text)
  FROM room r WHERE NOT has_schema_privilege(to_regrole(%(app)s)::oid, r.oid, 'USAGE')
UNION ALL
SELECT 'grant_lacking', '(database)', 'database ' || current_database(),
       concat(privilege, ' to ', who)
  FROM (VALUES (%(owner)s::text, 'CREATE'), (%(owner)s, 'CONNECT'), (%(app)s, 'CONNECT'),
               (%(backup)s, 'CONNECT')) AS v(who, privilege)
 WHERE NOT has_database_privilege(to_regrole(who)::oid, current_database(), privilege)
""",
    {
        "grant_lacking": "What was provisioned is gone: {detail} on {object}. GRANT it, or run"
        " `manage.py provision_roles`.",
        "grant_above": "More than was provisioned: {detail} on {object}. REVOKE it, or run"
        " `manage.py provision_roles`.",
    },
)
