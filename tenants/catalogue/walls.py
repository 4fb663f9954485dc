"""Row-level security and the policies of every walled table."""

from tenants.catalogue.subject import Subject

SWITCHES = Subject(
    """
SELECT code, schema, tab, NULL
  FROM seat CROSS JOIN LATERAL (VALUES
    ('rls_off', NOT relrowsecurity),
    ('rls_not_forced', kind = 'tenant' AND NOT relforcerowsecurity),
    ('rls_forced', kind = 'shared' AND relforcerowsecurity)) AS v(code, is_bad)
 WHERE walled AND is_bad
""",
    {
        "rls_off": "Row-level security is off, so the policies of this table do nothing."
        " ALTER TABLE {schema}.{object} ENABLE ROW LEVEL SECURITY.",
        "rls_not_forced": "Row-level security is not forced, so the table's owner reads every"
        " tenant. ALTER TABLE {schema}.{object} FORCE ROW LEVEL SECURITY.",
        "rls_forced": "Row-level security is forced on a shared table, so that enter_tenant, which"
        " runs as its owner, finds nothing. ALTER TABLE {schema}.{object} NO FORCE ROW LEVEL"
        " SECURITY.",
    },
)

POLICIES = Subject(
    r"""
, due AS (
    SELECT s.schema, p.tab, p.name, p.command, p.permissive,
           ARRAY[CASE p.role WHEN 'PUBLIC' THEN 0 ELSE to_regrole(p.role)::oid END] AS roles,
           replace(p.using_rule, '{schema}', s.schema) AS using_rule,
           replace(p.check_rule, '{schema}', s.schema) AS check_rule
      FROM seat s
      JOIN jsonb_to_recordset(%(policies)s::jsonb) AS p(tab text, name text, command text,
           permissive boolean, role text, using_rule text, check_rule text) USING (tab)
), found AS (
    SELECT r.schema, c.relname::text AS tab, p.polname::text AS name, p.polcmd::text AS command,
           p.polpermissive AS permissive, p.polroles AS roles,
           pg_get_expr(p.polqual, p.polrelid) AS using_text,
           pg_get_expr(p.polwithcheck, p.polrelid) AS check_text
      FROM room r
      JOIN pg_catalog.pg_class c ON c.relnamespace = r.oid AND NOT c.relispartition
      JOIN pg_catalog.pg_policy p ON p.polrelid = c.oid
), squashed AS (
    SELECT *, regexp_replace(using_text, %(squashing)s, '\1\2', 'g') AS using_rule,
           regexp_replace(check_text, %(squashing)s, '\1\2', 'g') AS check_rule
      FROM found
), compared AS (
    SELECT schema, tab, name, f.using_text, f.check_text, CASE
        WHEN f.command IS NULL THEN 'policy_missing'
        WHEN d.command IS NULL THEN 'policy_extra'
        WHEN f.permissive AND NOT d.permissive THEN 'policy_permissive'
        WHEN f.command <> d.command THEN 'policy_command'
        WHEN f.roles IS DISTINCT FROM d.roles THEN 'policy_role'
        WHEN f.permissive <> d.permissive OR f.using_rule IS DISTINCT FROM d.using_rule
          OR f.check_rule IS DISTINCT FROM d.check_rule THEN 'policy_altered'
        END AS code
      FROM due d FULL JOIN squashed f USING (schema, tab, name)
)
SELECT code, schema, tab || '.' || name,
       concat('USING ', using_text, ' WITH CHECK ', check_text)
  FROM compared WHERE code IS NOT NULL
""",
    {
        "policy_missing": "This policy is missing in {schema}; without it the table shows too much"
        " or nothing. Create it as the wall in tenants/rls.py says.",
        "policy_extra": "No wall knows this policy ({detail}). DROP POLICY it in {schema}.",
        "policy_permissive": "This policy is PERMISSIVE, so it opens where it should narrow."
        " Drop it in {schema} and create it AS RESTRICTIVE.",
        "policy_command": "This policy holds for the wrong command. Drop it in {schema} and create"
        " it for the command the wall says.",
        "policy_role": "This policy holds for the wrong role. ALTER POLICY in {schema} to the role"
        " the wall says.",
        "policy_altered": "This policy says something else than the wall: {detail}. ALTER POLICY"
        " in {schema} to what tenants/rls.py says.",
    },
)
