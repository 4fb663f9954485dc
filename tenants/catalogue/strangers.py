"""Log-ins that no policy binds, and what else leads past the walls that nobody provisioned."""

from tenants.catalogue.subject import Subject

# The superuser that initdb made has provisioned everything, and has the OID 10 in every cluster.
ROLES = Subject(
    """
, ours AS (
    SELECT d.name FROM jsonb_to_recordset(%(roles)s::jsonb) AS d(name text)
), strong AS (
    SELECT r.oid, v.power
      FROM pg_catalog.pg_roles r
     CROSS JOIN LATERAL (VALUES
        ('SUPERUSER', r.rolsuper), ('BYPASSRLS', r.rolbypassrls),
        ('REPLICATION', r.rolreplication)) AS v(power, has)
     WHERE v.has AND r.oid <> 10 AND r.rolname NOT IN (SELECT name FROM ours)
    UNION ALL
    SELECT r.oid, r.rolname FROM pg_catalog.pg_roles r
     WHERE r.rolname IN ('pg_read_all_data', 'pg_write_all_data', 'pg_read_server_files',
           'pg_write_server_files', 'pg_execute_server_program')
)
SELECT 'role_strange', '(database)', r.rolname, string_agg(DISTINCT s.power, ', ')
  FROM pg_catalog.pg_roles r
  JOIN strong s ON s.oid = r.oid OR NOT r.rolsuper AND pg_has_role(r.oid, s.oid, 'MEMBER')
 WHERE r.rolcanlogin AND r.oid <> 10
   -- Of ours, and of who joins them, `application_role` tells.
   AND r.rolname NOT IN (SELECT name FROM ours)
   AND (r.rolsuper OR NOT EXISTS (
        SELECT FROM ours o WHERE pg_has_role(r.oid, to_regrole(o.name)::oid, 'MEMBER')))
 GROUP BY r.rolname
""",
    {
        "role_strange": "Nobody provisioned this log-in, and no policy binds it: {detail}."
        " DROP ROLE {object}, or take that from it.",
    },
)

WAYS = Subject(
    """
SELECT 'subscription', '(database)', s.subname, NULL
  FROM pg_catalog.pg_subscription s
  JOIN pg_catalog.pg_database d ON d.oid = s.subdbid AND d.datname = current_database()
UNION ALL
SELECT 'cast_unasked', '(database)',
       concat(c.castsource::regtype, ' AS ', c.casttarget::regtype), NULL
  FROM pg_catalog.pg_cast c WHERE c.oid >= 16384 AND c.castcontext <> 'e'
UNION ALL
SELECT 'large_object_open', '(database)', m.oid::text, string_agg(DISTINCT a.privilege_type, ', ')
  FROM pg_catalog.pg_largeobject_metadata m
 CROSS JOIN LATERAL aclexplode(m.lomacl) a
 WHERE a.grantee IN (SELECT oid FROM application)
 GROUP BY m.oid
""",
    {
        "subscription": "A subscription writes rows of another server past every policy."
        " DROP SUBSCRIPTION {object}.",
        "cast_unasked": "This cast happens without being asked for, and can make a rule of the"
        " walls compare something else. DROP CAST ({object}).",
        "large_object_open": "Large objects have no policies, and the application may {detail} this"
        " one. SELECT lo_unlink({object}), or REVOKE it.",
    },
)
