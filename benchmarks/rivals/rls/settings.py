"""django-rls' documented settings."""

from benchmarks.rivals import settings as rivals

globals().update(rivals.COMMON)
INSTALLED_APPS = ["django_rls", "benchmarks.rivals.rls.apps.Shop", *rivals.APPS]
MIDDLEWARE = [*rivals.MIDDLEWARE, "django_rls.middleware.RLSContextMiddleware"]
DATABASES = {
    "default": rivals.database("django_rls.backends.postgresql", atomic=rivals.TRANSACTION)
}
