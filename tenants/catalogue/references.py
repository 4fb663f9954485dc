"""Foreign keys: their checks run past policies, so tenant and owner have to be in the key."""

from tenants.catalogue.subject import Subject

FROM_TENANTS = Subject(
    """
, reference AS (
    SELECT s.schema, s.tab, k.*, t.oid IS NULL AS to_shared, t.schema <> s.schema AS leaves,
           cardinality(k.conkey) < 2 OR k.conkey[1] <> s.tenant_column
            OR k.confkey[1] <> t.tenant_column AS is_bare,
           s.owner_column IS NOT NULL AND t.owner_column IS NOT NULL
           AND (array_position(k.conkey, s.owner_column)
                = array_position(k.confkey, t.owner_column)) IS NOT TRUE AS is_anybodys,
           array_remove(k.conkey, s.owner_column) AS told
      FROM tenant_seat s
      JOIN pg_catalog.pg_constraint k ON k.conrelid = s.oid AND k.contype = 'f'
      LEFT JOIN tenant_seat t ON t.oid = k.confrelid
     WHERE k.conparentid = 0
)
SELECT code, schema, tab || '.' || conname, pg_get_constraintdef(r.oid)
  FROM reference r CROSS JOIN LATERAL (VALUES
    (CASE WHEN to_shared THEN 'foreign_key_to_shared'
          WHEN leaves THEN 'foreign_key_leaves_schema'
          WHEN is_bare THEN 'foreign_key_without_tenant'
          WHEN is_anybodys THEN 'foreign_key_without_owner' END,
     to_shared OR leaves OR is_bare OR is_anybodys),
    ('foreign_key_not_deferrable', NOT (to_shared OR leaves OR is_bare OR condeferrable)),
    ('foreign_key_without_index', NOT (to_shared OR leaves OR is_bare) AND NOT EXISTS (
        SELECT FROM pg_catalog.pg_index x
         WHERE x.indrelid = r.conrelid AND x.indisvalid AND x.indpred IS NULL
           AND r.told <@ (x.indkey::int2[])[0:cardinality(r.told) - 1]))
    ) AS v(code, is_bad)
 WHERE is_bad
""",
    {
        "foreign_key_to_shared": "A tenant table of {schema} refers to a table outside the tenants:"
        " {detail}. Keep the plain column and drop the constraint.",
        "foreign_key_leaves_schema": "A foreign key of {schema} leaves its schema: {detail}."
        " Refer to the table of the same schema.",
        "foreign_key_without_tenant": "A foreign key without the tenant lets one tenant point at"
        " another's rows: {detail}. Make it (tenant_id, …) REFERENCES … (tenant_id, id).",
        "foreign_key_without_owner": "A foreign key without the owner lets a person's row hang on"
        " somebody else's: {detail}. Make it (tenant_id, user_id, …) REFERENCES …"
        " (tenant_id, user_id, id).",
        "foreign_key_not_deferrable": "A tenant can't be restored past this foreign key of"
        " {schema}: {detail}. ALTER CONSTRAINT it to DEFERRABLE INITIALLY DEFERRED.",
        "foreign_key_without_index": "No index covers this foreign key, so deleting a tenant scans"
        " the table once a row: {detail}. Add an index on tenant and reference.",
    },
)

INTO_TENANTS = Subject(
    """
SELECT 'foreign_key_into_tenants', n.nspname, c.relname || '.' || k.conname,
       pg_get_constraintdef(k.oid)
  FROM tenant_seat t
  JOIN pg_catalog.pg_constraint k ON k.confrelid = t.oid AND k.contype = 'f'
  JOIN pg_catalog.pg_class c ON c.oid = k.conrelid
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 WHERE NOT EXISTS (SELECT FROM tenant_seat s WHERE s.oid = k.conrelid) AND k.conparentid = 0
""",
    {
        "foreign_key_into_tenants": "A table outside the tenants refers to a tenant's: {detail}."
        " Keep the plain column and drop the constraint.",
    },
)
