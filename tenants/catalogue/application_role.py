"""Our roles: what they are, what they belong to, what they own, how their sessions start."""

from tenants.catalogue.subject import Subject

# Whatever PostgreSQL knows that a role can be, and all that it belongs to. How many connections it
# may have, and how long its password is good, is the operator's to say: neither opens anything.
ROLES = Subject(
    """
, due AS (
    SELECT * FROM jsonb_to_recordset(%(roles)s::jsonb) AS r(name text, attributes text[])
), attribute AS (
    SELECT d.name, word.word, f.value::boolean AS is_set, word.word = ANY (d.attributes) AS is_due
      FROM due d
      JOIN pg_catalog.pg_roles r ON r.rolname = d.name
     CROSS JOIN LATERAL jsonb_each(to_jsonb(r)) f
     CROSS JOIN LATERAL (SELECT CASE f.key WHEN 'rolsuper' THEN 'SUPERUSER'
            WHEN 'rolcanlogin' THEN 'LOGIN' ELSE upper(substr(f.key, 4)) END AS word) word
     WHERE jsonb_typeof(f.value) = 'boolean'
), due_membership AS (
    SELECT * FROM jsonb_to_recordset(%(memberships)s::jsonb)
        AS m(role text, member text, inherits boolean)
), membership AS (
    SELECT *, d.role IS NOT NULL AS is_due,
           concat(role, ' WITH ADMIN ', upper(f.admin_option::text), ', INHERIT ',
                  upper(f.inherit_option::text), ', SET ', upper(f.set_option::text)) AS text
      FROM (SELECT pg_get_userbyid(m.roleid)::text AS role,
                   pg_get_userbyid(m.member)::text AS member,
                   m.admin_option, m.inherit_option, m.set_option
              FROM pg_catalog.pg_auth_members m) f
      LEFT JOIN due_membership d USING (role, member)
)
SELECT 'role_missing', '(database)', d.name, NULL
  FROM due d WHERE to_regrole(d.name) IS NULL
UNION ALL
SELECT 'role_attribute', '(database)', name,
       string_agg(concat(CASE WHEN NOT is_set THEN 'NO' END, word), ', ' ORDER BY word)
  FROM attribute WHERE is_set <> is_due GROUP BY name
UNION ALL
SELECT 'role_member', '(database)', member, string_agg(DISTINCT role, ', ')
  FROM membership
 WHERE member IN (SELECT name FROM due) AND NOT is_due
 GROUP BY member
UNION ALL
SELECT 'role_joined', '(database)', role, string_agg(DISTINCT member, ', ')
  FROM membership
 WHERE role IN (SELECT name FROM due) AND member NOT IN (SELECT name FROM due)
 GROUP BY role
UNION ALL
SELECT 'role_member_altered', '(database)', member, string_agg(DISTINCT text, '; ')
  FROM membership
 WHERE is_due AND (admin_option OR inherit_option <> inherits OR NOT set_option)
 GROUP BY member
UNION ALL
SELECT 'role_member_missing', '(database)', d.member, d.role
  FROM due_membership d
 WHERE to_regrole(d.role) IS NOT NULL AND to_regrole(d.member) IS NOT NULL
   AND NOT EXISTS (SELECT FROM membership m WHERE m.role = d.role AND m.member = d.member)
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
        "role_attribute": "This role is {detail}, and tenants/roles.py says otherwise: the"
        " walls rest on what each role can be. Run `manage.py provision_roles`.",
        "role_member": "This role may become {detail} by SET ROLE and has its rights then. REVOKE"
        " the membership.",
        "role_joined": "{detail} may become this role by SET ROLE and has its rights then. REVOKE"
        " {object} from it.",
        "role_member_altered": "This role is a member of {detail}, not as tenants/roles.py says: it"
        " could let others in, or act with rights that it has to ask for. Run"
        " `manage.py provision_roles`, and REVOKE it where somebody else granted it.",
        "role_member_missing": "This role has to be a member of {detail}, and is not."
        " Run `manage.py provision_roles`.",
        "role_owns": "The application owns {detail}, and an owner may change its walls."
        " ALTER … OWNER TO bulkhead_owner.",
    },
)

SETTINGS = Subject(
    """
, ours AS (
    -- Of one that is missing, `role_missing` tells.
    SELECT name AS role, settings, to_regrole(name)::oid AS oid
      FROM jsonb_to_recordset(%(roles)s::jsonb) AS r(name text, settings jsonb)
     WHERE to_regrole(name) IS NOT NULL
), configured AS (
    SELECT DISTINCT ON (o.role, split_part(line, '=', 1)) o.role,
           split_part(line, '=', 1) AS name, substr(line, strpos(line, '=') + 1) AS value,
           s.setrole <> 0 AS is_own
      FROM ours o
      JOIN pg_catalog.pg_db_role_setting s ON s.setrole IN (0, o.oid)
     CROSS JOIN LATERAL unnest(s.setconfig) AS c(line)
     WHERE s.setdatabase IN (0, (SELECT d.oid FROM pg_catalog.pg_database d
                                  WHERE d.datname = current_database()))
     -- PostgreSQL takes the role's in this database, then the role's, then the database's.
     ORDER BY o.role, split_part(line, '=', 1), s.setrole = 0, s.setdatabase = 0
), due AS (
    SELECT o.role, lower(e.key) AS name, e.value
      FROM ours o CROSS JOIN LATERAL jsonb_each_text(o.settings) e
)
SELECT CASE d.name WHEN 'timezone' THEN 'role_timezone'
            WHEN 'search_path' THEN 'role_search_path' ELSE 'role_setting_altered' END,
       '(database)', concat(d.role, '.', d.name), coalesce(c.value, 'unset')
  FROM due d
  LEFT JOIN configured c ON c.role = d.role AND lower(c.name) = d.name
 WHERE c.value IS DISTINCT FROM d.value OR NOT c.is_own
UNION ALL
SELECT 'role_setting', '(database)', concat(c.role, '.', c.name), c.value
  FROM configured c
 WHERE NOT EXISTS (SELECT FROM due d WHERE d.role = c.role AND d.name = lower(c.name))
   -- Of what is set for all roles, only what no session of the application may start with.
   AND (c.is_own OR c.role = %(app)s AND (lower(c.name) LIKE 'app.%%' OR c.name IN ('row_security',
       'role', 'session_replication_role', 'session_authorization', 'session_preload_libraries',
       'local_preload_libraries')))
UNION ALL
-- What all sessions of the server start with, whoever they are of.
SELECT 'server_setting', '(database)', s.name, s.setting
  FROM pg_catalog.pg_settings s
 WHERE s.name IN ('row_security', 'session_replication_role') AND s.setting <> s.boot_val
   AND s.source IN ('command line', 'configuration file', 'environment variable')
""",
    {
        "role_timezone": "Sessions of this role start in time zone {detail}, not as"
        " tenants/roles.py says. Django would call set_config, which the application may not."
        " Run `manage.py provision_roles`.",
        "role_search_path": "Sessions of this role start with search_path {detail}, not as"
        " tenants/roles.py says; without pg_temp at its end a temporary table can hide a real one."
        " Run `manage.py provision_roles`.",
        "role_setting_altered": "Sessions of this role start with this {detail}, not as"
        " tenants/roles.py says. Run `manage.py provision_roles`, and RESET it where it is set for"
        " one database.",
        "role_setting": "Every session of this role starts with this set to {detail}, which"
        " nothing provisioned. ALTER ROLE … RESET it.",
        "server_setting": "Every session of the server starts with this set to {detail}, by which"
        " rules are passed over. Take it out of the server's configuration, and reload that.",
    },
)
