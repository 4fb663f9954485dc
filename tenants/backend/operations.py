"""Points Django's query compiler at the one that asks for a tenant first."""

from django_tenants.postgresql_backend import base as django_tenants


class DatabaseOperations(django_tenants.original_backend.DatabaseWrapper.ops_class):  # type: ignore[misc]
    compiler_module = "tenants.backend.compiler"
