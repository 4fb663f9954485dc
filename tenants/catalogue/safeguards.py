"""What holds where a policy would not: constants, triggers and constraints that are in force."""

from tenants.catalogue.subject import Subject

CONSTANT = Subject(
    """
, constant AS (
    SELECT s.schema, s.tab, s.tenant_id, pg_get_constraintdef(k.oid) AS text
      FROM seat s
      LEFT JOIN pg_catalog.pg_constraint k
        ON k.conrelid = s.oid AND k.conname = s.tab || '_one_tenant' AND k.contype = 'c'
     WHERE s.kind = 'tenant' AND s.tenant_id IS NOT NULL
)
SELECT CASE WHEN text IS NULL THEN 'one_tenant_missing' ELSE 'one_tenant_altered' END,
       schema, tab || '.' || tab || '_one_tenant', text
  FROM constant
 WHERE text IS DISTINCT FROM 'CHECK ((tenant_id = ''' || tenant_id || '''::uuid))'
""",
    {
        "one_tenant_missing": "Nothing but policies keeps another tenant's rows out of this table"
        " of {schema}. Add CHECK (tenant_id = …) with the id in the schema's name.",
        "one_tenant_altered": "The constant of this table of {schema} is {detail}. It has to be"
        " the id in the schema's name.",
    },
)

APPEND_ONLY = Subject(
    """
, ward AS (
    SELECT s.schema, s.tab, t.*, t.oid IS NULL AS is_missing
      FROM seat s
      LEFT JOIN pg_catalog.pg_trigger t
        ON t.tgrelid = s.oid AND t.tgname = 'append_only' AND NOT t.tgisinternal
     WHERE s.append_only
)
SELECT CASE WHEN is_missing THEN 'append_only_missing'
            WHEN tgenabled NOT IN ('O', 'A') THEN 'append_only_disabled'
            ELSE 'append_only_altered' END, schema, tab || '.append_only',
       pg_get_triggerdef(ward.oid)
  FROM ward
 WHERE is_missing OR tgenabled NOT IN ('O', 'A') OR tgtype <> 27 -- before update, delete; a row
    OR tgqual IS NOT NULL OR cardinality(tgattr::int2[]) > 0
    OR tgfoid IS DISTINCT FROM to_regprocedure('public.refuse_change()')
""",
    {
        "append_only_missing": "Rows that may never change can be changed in {schema}. CREATE"
        " TRIGGER append_only as tenants/rls.py says.",
        "append_only_disabled": "The trigger that keeps rows from changing is disabled."
        " ALTER TABLE … ENABLE TRIGGER append_only in {schema}.",
        "append_only_altered": "The trigger does not refuse every change: {detail}. Drop it and"
        " create it as tenants/rls.py says.",
    },
)

IN_FORCE = Subject(
    """
, guarded AS (
    SELECT oid, schema, tab, append_only FROM seat
    UNION ALL
    SELECT oid, schema, tab, false FROM part
)
SELECT 'trigger_disabled', s.schema, s.tab || '.' || coalesce(k.conname, t.tgname),
       string_agg(t.tgname, ', ')
  FROM guarded s
  JOIN pg_catalog.pg_trigger t ON t.tgrelid = s.oid AND t.tgenabled NOT IN ('O', 'A')
  LEFT JOIN pg_catalog.pg_constraint k ON k.oid = t.tgconstraint
 WHERE NOT (s.append_only AND t.tgname = 'append_only')
 GROUP BY 2, 3
UNION ALL
SELECT 'constraint_not_valid', s.schema, s.tab || '.' || k.conname, pg_get_constraintdef(k.oid)
  FROM seat s
  JOIN pg_catalog.pg_constraint k ON k.conrelid = s.oid AND NOT k.convalidated
 WHERE k.conname <> s.tab || '_one_tenant' OR k.contype <> 'c' OR s.schema = 'public'
""",
    {
        "trigger_disabled": "What this guards is not checked, for {detail} is disabled."
        " ALTER TABLE … ENABLE TRIGGER ALL in {schema}.",
        "constraint_not_valid": "This constraint of {schema} was never checked against the rows"
        " that are there: {detail}. ALTER TABLE … VALIDATE CONSTRAINT.",
    },
)
