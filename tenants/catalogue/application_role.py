"""The log-ins: what they are, what they belong to, what they own, how their sessions start."""

from tenants.catalogue.subject import Subject

ROLES = Subject(
    """
, due AS (
    SELECT * FROM jsonb_to_recordset(%(roles)s::jsonb) AS r(name text, never text[])
)
SELECT 'role_missing', '(database)', d.name, NULL
  FROM due d WHERE to_regrole(d.name) IS NULL
UNION ALL
SELECT 'role_attribute', '(database)', d.name, string_agg(v.attribute, ', ')
  FROM due d
  JOIN pg_catalog.pg_roles r ON r.rolname = d.name
 CROSS JOIN LATERAL (VALUES
    ('SUPERUSER', r.rolsuper), ('BYPASSRLS', r.rolbypassrls), ('CREATEROLE', r.rolcreaterole),
    ('CREATEDB', r.rolcreatedb), ('REPLICATION', r.rolreplication)) AS v(attribute, is_set)
 WHERE v.is_set AND v.attribute = ANY (d.never)
 GROUP BY d.name
UNION ALL
SELECT 'role_member', '(database)', %(app)s, string_agg(g.rolname, ', ')
  FROM pg_catalog.pg_auth_members m
  JOIN pg_catalog.pg_roles g ON g.oid = m.roleid
 WHERE m.member = to_regrole(%(app)s)::oid
HAVING count(*) > 0
UNION ALL
SELECT 'role_owns', coalesce(i.schema, '(database)'), coalesce(i.name, i.identity), i.identity
  FROM pg_catalog.pg_shdepend s
 CROSS JOIN LATERAL pg_identify_object(s.classid, s.objid, s.objsubid) i
 WHERE s.refclassid = 'pg_catalog.pg_authid'::regclass AND s.deptype = 'o'
   AND s.refobjid = to_regrole(%(app)s)::oid
   AND s.dbid IN (0, (SELECT d.oid FROM pg_catalog.pg_database d
                       WHERE d.datname = current_database()))
""",
    {
        "role_missing": "This role does not exist. Run `manage.py provision_roles`.",
        "role_attribute": "This role is {detail}, for which the walls are no obstacle."
        " Run `manage.py provision_roles`.",
        "role_member": "The application may become {detail} by SET ROLE. REVOKE the membership, or"
        " run `manage.py provision_roles`.",
        "role_owns": "The application owns {detail}, and an owner may change its walls."
        " ALTER … OWNER TO bulkhead_owner.",
    },
)

SETTINGS = Subject(
    """
, configured AS (
    SELECT DISTINCT ON (split_part(line, '=', 1))
           split_part(line, '=', 1) AS name, substr(line, strpos(line, '=') + 1) AS value
      FROM pg_catalog.pg_db_role_setting s CROSS JOIN LATERAL unnest(s.setconfig) AS c(line)
     WHERE s.setrole IN (0, to_regrole(%(app)s)::oid)
       AND s.setdatabase IN (0, (SELECT d.oid FROM pg_catalog.pg_database d
                                  WHERE d.datname = current_database()))
     -- PostgreSQL takes the role's in this database, then the role's, then the database's.
     ORDER BY split_part(line, '=', 1), s.setrole = 0, s.setdatabase = 0
)
SELECT code, '(database)', concat(%(app)s, '.', v.name), coalesce(c.value, 'unset')
  FROM (VALUES ('role_timezone', 'TimeZone', 'UTC'),
               ('role_search_path', 'search_path', '(.*, *)?pg_temp')) AS v(code, name, form)
  LEFT JOIN configured c ON lower(c.name) = lower(v.name)
 WHERE c.value IS NULL OR c.value !~ ('^' || v.form || '$')
UNION ALL
SELECT 'role_setting', '(database)', concat(%(app)s, '.', c.name), c.value
  FROM configured c
 WHERE c.name LIKE 'app.%%' OR c.name IN ('row_security', 'session_replication_role', 'role',
       'session_authorization', 'session_preload_libraries', 'local_preload_libraries')
""",
    {
        "role_timezone": "Sessions of the application start in time zone {detail}. Django would"
        " call set_config, which is revoked. Run `manage.py provision_roles`.",
        "role_search_path": "Sessions of the application start with search_path {detail}; without"
        " pg_temp at its end a temporary table can hide a real one."
        " Run `manage.py provision_roles`.",
        "role_setting": "Every session of the application starts with this set to {detail}, which"
        " belongs to transactions or to nobody. ALTER ROLE … RESET it.",
    },
)
