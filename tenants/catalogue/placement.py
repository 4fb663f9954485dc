"""Tenants and schemas: each dedicated tenant has its schema, each schema its tenant."""

from tenants.catalogue.subject import Subject

PLACEMENT = Subject(
    """
SELECT 'schema_without_tenant', r.schema, 'schema', NULL
  FROM room r
 WHERE r.tenant_id IS NOT NULL
   AND NOT EXISTS (SELECT FROM public.tenants_tenant t WHERE t.id = r.tenant_id)
UNION ALL
SELECT 'schema_of_shared_tenant', r.schema, 'schema', t.slug
  FROM room r JOIN public.tenants_tenant t ON t.id = r.tenant_id
 WHERE t.placement = 'shared'
   AND NOT EXISTS (SELECT FROM public.tenants_tenantmove m
                    WHERE m.tenant_id = t.id AND m.finished_at IS NULL)
UNION ALL
SELECT code, 'public', 'tenants_tenant.' || t.slug, t.schema_name
  FROM public.tenants_tenant t CROSS JOIN LATERAL (VALUES
    ('tenant_without_schema', t.placement = 'dedicated'
        AND t.status NOT IN ('provisioning', 'deleting')
        AND to_regnamespace(quote_ident(t.schema_name)) IS NULL),
    ('tenant_schema_wrong', t.schema_name <> 'tenant_' || replace(t.id::text, '-', '')))
    AS v(code, is_bad)
 WHERE is_bad
UNION ALL
SELECT 'tenant_region_unknown', 'public', 'tenants_tenant.' || t.slug, t.region
  FROM public.tenants_tenant t WHERE t.region <> ALL (%(regions)s)
""",
    {
        "schema_without_tenant": "tenants_tenant has no row for this schema. Find out whose it was"
        " and restore the row; only if it was nobody's, drop the schema after a backup.",
        "schema_of_shared_tenant": "The tenant {detail} lives in `public`, and rows in its own"
        " schema are seen by nobody. Find out which are the true ones; then drop the schema after"
        " a backup, or place the tenant in it.",
        "tenant_without_schema": "This tenant is to live in {detail}, which does not exist: its"
        " people reach nothing. Restore the tenant from a backup.",
        "tenant_schema_wrong": "This tenant would be led to {detail}, which bears another's name."
        " Set schema_name to `tenant_` and the digits of the tenant's id.",
        "tenant_region_unknown": "This tenant is said to be in {detail}, which is none of REGIONS."
        " Name the region there, or correct the tenant's.",
    },
)
