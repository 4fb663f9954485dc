"""django-tenants' documented settings; its middleware comes first."""

from benchmarks.rivals import settings as rivals

globals().update(rivals.COMMON)
SHARED_APPS = ["django_tenants", "benchmarks.rivals.stock_tenants.customers", *rivals.APPS]
TENANT_APPS = ["benchmarks.rivals.stock_tenants.shop"]
INSTALLED_APPS = [*SHARED_APPS, *TENANT_APPS]
TENANT_MODEL = "customers.Customer"
TENANT_DOMAIN_MODEL = "customers.Domain"
DATABASE_ROUTERS = ("django_tenants.routers.TenantSyncRouter",)
MIDDLEWARE = ["django_tenants.middleware.main.TenantMainMiddleware", *rivals.MIDDLEWARE]
DATABASES = {
    "default": rivals.database("django_tenants.postgresql_backend", atomic=rivals.TRANSACTION)
}
