"""Functions: those that run with their owner's rights, and those the application may call."""

from tenants.catalogue.subject import Subject

OURS = Subject(
    """
, due AS (
    SELECT *, to_regprocedure(signature)::oid AS oid
      FROM jsonb_to_recordset(%(functions)s::jsonb) AS f(signature text, body text,
           definer boolean, volatility text, callers text[])
), caller AS (
    SELECT p.oid, p.pronamespace, p.proowner, a.is_grantable,
           CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE pg_get_userbyid(a.grantee)::text END AS who
      FROM pg_catalog.pg_proc p
     CROSS JOIN LATERAL aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
     WHERE p.oid >= 16384 AND a.grantee <> p.proowner
)
SELECT 'function_missing', 'public', d.signature, NULL FROM due d WHERE d.oid IS NULL
UNION ALL
SELECT 'function_altered', 'public', d.signature, NULL
  FROM due d
  JOIN pg_catalog.pg_proc p ON p.oid = d.oid
  JOIN pg_catalog.pg_language l ON l.oid = p.prolang
 WHERE p.prosrc <> d.body OR p.prosecdef <> d.definer OR p.provolatile <> d.volatility::"char"
    OR l.lanname <> 'plpgsql' OR p.proconfig IS NOT NULL OR p.proleakproof OR p.proisstrict
    OR p.proparallel <> 'u' OR p.prosupport <> 0
UNION ALL
SELECT 'function_callers', 'public', d.signature,
       string_agg(concat(c.who, CASE WHEN c.is_grantable THEN ' WITH GRANT OPTION' END), ', ')
  FROM due d JOIN caller c ON c.oid = d.oid
 WHERE c.who <> ALL (d.callers) OR c.is_grantable
 GROUP BY d.signature
UNION ALL
SELECT 'function_not_callable', 'public', d.signature, w.who
  FROM due d CROSS JOIN LATERAL unnest(d.callers) AS w(who)
 WHERE d.oid IS NOT NULL AND NOT EXISTS (
       SELECT FROM caller c WHERE c.oid = d.oid AND c.who = w.who)
UNION ALL
SELECT 'definer_unknown', n.nspname, p.oid::regprocedure::text, NULL
  FROM pg_catalog.pg_proc p
  JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
 WHERE p.oid >= 16384 AND p.prosecdef AND NOT EXISTS (SELECT FROM due d WHERE d.oid = p.oid)
UNION ALL
SELECT DISTINCT 'function_unknown', n.nspname, c.oid::regprocedure::text, c.who
  FROM caller c
  JOIN pg_catalog.pg_namespace n ON n.oid = c.pronamespace
  JOIN pg_catalog.pg_proc p ON p.oid = c.oid AND NOT p.prosecdef
 WHERE c.who IN ('PUBLIC', %(app)s) AND NOT EXISTS (SELECT FROM due d WHERE d.oid = c.oid)
UNION ALL
-- Nobody calls a trigger's function, and it runs all the same.
SELECT 'function_uncalled', n.nspname, p.oid::regprocedure::text, NULL
  FROM pg_catalog.pg_proc p
  JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
 WHERE p.oid >= 16384 AND NOT p.prosecdef
   AND (n.nspname = 'bulkhead' OR n.oid IN (SELECT oid FROM room))
   AND NOT EXISTS (SELECT FROM due d WHERE d.oid = p.oid)
   AND NOT EXISTS (SELECT FROM caller c WHERE c.oid = p.oid AND c.who IN ('PUBLIC', %(app)s))
""",
    {
        "function_missing": "Without this function nobody can enter a tenant, or what it guards is"
        " refused. Run `manage.py migrate`, or create it as the code says.",
        "function_altered": "This function is not the one of tenants/entry.py, or of the app that"
        " brings it. Create it again as written there.",
        "function_callers": "{detail} may call this function. REVOKE EXECUTE ON FUNCTION {object}.",
        "function_not_callable": "{detail} may not call this function and needs to."
        " GRANT EXECUTE ON FUNCTION {object}.",
        "definer_unknown": "This SECURITY DEFINER function runs with its owner's rights, past what"
        " its caller may see. DROP FUNCTION {object}, or make it SECURITY INVOKER.",
        "function_unknown": "{detail} may call this function, which no wall knows."
        " REVOKE EXECUTE ON FUNCTION {object}, or drop it.",
        "function_uncalled": "No wall knows this function. The application may not call it, but a"
        " trigger, a rule or a default that names it runs it. DROP FUNCTION {object}.",
    },
)

TICKET = Subject(
    r"""
, ticket AS (
    SELECT t.oid, t.typbasetype, t.typowner, array_agg(k.conname) AS names,
           EXISTS (SELECT FROM aclexplode(coalesce(t.typacl, acldefault('T', t.typowner))) a
                    WHERE a.grantee = 0) AS is_for_all,
           array_agg(pg_get_constraintdef(k.oid)) AS texts,
           array_agg(regexp_replace(pg_get_constraintdef(k.oid), %(squashing)s, '\1\2', 'g'))
               AS rules
      FROM (SELECT to_regtype('public.tenant_ticket')::oid AS oid) d
      LEFT JOIN pg_catalog.pg_type t ON t.oid = d.oid
      LEFT JOIN pg_catalog.pg_constraint k ON k.contypid = t.oid
     GROUP BY t.oid, t.typbasetype, t.typowner, t.typacl
)
SELECT CASE WHEN oid IS NULL THEN 'ticket_missing' ELSE 'ticket_altered' END, 'public',
       'tenant_ticket', coalesce(nullif(array_to_string(texts, ', '), ''), 'nothing')
  FROM ticket
 WHERE oid IS NULL OR typbasetype <> 'text[]'::regtype OR rules <> ARRAY['CHECK' || %(enters)s]
    OR rules[1] IS NULL OR names <> ARRAY['enters'::name] OR is_for_all
    OR pg_get_userbyid(typowner) <> %(owner)s
""",
    {
        "ticket_missing": "Without this type entering a tenant takes a round trip of its own."
        " Run `manage.py migrate`, or create it as tenants/entry.py says.",
        "ticket_altered": "BEGIN carries this type, and its rule, the rule's name, its owner or its"
        " grants are other ones: {detail}. Drop it and create it as tenants/entry.py says.",
    },
)

REVOKED = Subject(
    """
, revoked AS (
    SELECT to_regprocedure(f)::oid AS oid FROM unnest(%(revoked)s::text[]) AS r(f)
    UNION
    SELECT p.oid FROM pg_catalog.pg_proc p
     WHERE p.pronamespace = 'pg_catalog'::regnamespace
       AND p.proname LIKE ANY (%(revoked_patterns)s::text[])
)
SELECT 'function_open', '(database)', p.oid::regprocedure::text,
       string_agg(CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE pg_get_userbyid(a.grantee) END, ', ')
  FROM revoked r
  JOIN pg_catalog.pg_proc p ON p.oid = r.oid
 CROSS JOIN LATERAL aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
 WHERE a.grantee IN (0, to_regrole(%(app)s)::oid)
 GROUP BY p.oid
UNION ALL
-- Also of what PostgreSQL ships closed, and everybody else is refused.
SELECT 'backup_function_open', '(database)', p.oid::regprocedure::text,
       string_agg(a.privilege_type, ', ')
  FROM pg_catalog.pg_proc p CROSS JOIN LATERAL aclexplode(p.proacl) a
 WHERE p.oid < 16384 AND a.grantee = to_regrole(%(backup)s)::oid
   AND (a.is_grantable OR p.oid <> ALL (%(backup_functions)s::regprocedure[]))
 GROUP BY p.oid
UNION ALL
SELECT 'backup_function_shut', '(database)', f.oid::text, NULL
  FROM unnest(%(backup_functions)s::regprocedure[]) AS f(oid)
 WHERE NOT has_function_privilege(to_regrole(%(backup)s)::oid, f.oid, 'EXECUTE')
UNION ALL
-- To PUBLIC, on the view or a column; what the application is granted itself, `grants` finds.
SELECT DISTINCT 'view_open', '(database)', c.relname, NULL
  FROM pg_catalog.pg_class c
  LEFT JOIN pg_catalog.pg_attribute t ON t.attrelid = c.oid AND t.attacl IS NOT NULL
 CROSS JOIN LATERAL (SELECT * FROM aclexplode(c.relacl)
                     UNION ALL SELECT * FROM aclexplode(t.attacl)) a
 WHERE c.relnamespace = 'pg_catalog'::regnamespace
   AND c.relname = ANY (%(revoked_views)s::text[]) AND a.grantee = 0
""",
    {
        "view_open": "Every role may read this view and see what others do."
        " Run `manage.py provision_roles`.",
        "backup_function_open": "The backup's log-in may call this function, and needs none but"
        " those that tenants/roles.py names. Run `manage.py provision_roles`.",
        "backup_function_shut": "The backup's log-in may not call this function, and the server is"
        " not backed up, or nobody sees how it stands. Run `manage.py provision_roles`.",
        "function_open": "{detail} may call this function and look or act past the walls with it."
        " Run `manage.py provision_roles`.",
    },
)
