"""django-rls-tenants' documented settings; its own transaction mode where one is asked for."""

from benchmarks.rivals import settings as rivals

globals().update(rivals.COMMON)
INSTALLED_APPS = ["django_rls_tenants", "benchmarks.rivals.rls_tenants.apps.Shop", *rivals.APPS]
RLS_TENANTS = {
    "TENANT_MODEL": "shop.Tenant",
    "TENANT_PK_TYPE": "uuid",
    "USE_LOCAL_SET": rivals.TRANSACTION,
}
MIDDLEWARE = [*rivals.MIDDLEWARE, "django_rls_tenants.RLSTenantMiddleware"]
DATABASES = {
    "default": rivals.database(
        "django.db.backends.postgresql",
        atomic=False,
        # Its SET LOCAL takes a parameter, which PostgreSQL does not bind.
        server_side_binding=not rivals.TRANSACTION,
    )
}
