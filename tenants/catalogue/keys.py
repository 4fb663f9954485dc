"""Keys and indexes: each starts with the tenant, or it tells one tenant about another."""

from tenants.catalogue.subject import Subject

KEYS = Subject(
    """
SELECT 'primary_key', s.schema, s.tab || '.' || coalesce(k.conname, s.tab || '_pkey'),
       coalesce(pg_get_constraintdef(k.oid), 'missing')
  FROM tenant_seat s
  LEFT JOIN pg_catalog.pg_constraint k ON k.conrelid = s.oid AND k.contype = 'p'
 WHERE k.conkey IS DISTINCT FROM ARRAY[s.tenant_column, s.id_column]
UNION ALL
SELECT code, s.schema, s.tab || '.' || c.relname, pg_get_indexdef(x.indexrelid)
  FROM tenant_seat s
  JOIN pg_catalog.pg_index x ON x.indrelid = s.oid AND NOT x.indisprimary
  JOIN pg_catalog.pg_class c ON c.oid = x.indexrelid
 CROSS JOIN LATERAL (VALUES
    (CASE WHEN x.indisunique OR x.indisexclusion THEN 'unique_without_tenant'
          ELSE 'index_without_tenant' END, x.indkey[0] IS DISTINCT FROM s.tenant_column),
    ('index_invalid', NOT x.indisvalid)) AS v(code, is_bad)
 WHERE is_bad
""",
    {
        "primary_key": "The primary key in {schema} is {detail}. It has to be (tenant_id, id), or"
        " one tenant can probe for another's ids.",
        "unique_without_tenant": "A uniqueness across tenants tells one that a value of another"
        " exists: {detail}. Put tenant_id first.",
        "index_without_tenant": "An index in {schema} that does not start with tenant_id: {detail}."
        " No policy can use it, and the table can't be distributed. Put tenant_id first.",
        "index_invalid": "This index in {schema} was left unfinished and is not used."
        " REINDEX INDEX CONCURRENTLY, or drop it and make it again.",
    },
)
