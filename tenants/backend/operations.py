"""Points Django's query compiler at the one that asks for a tenant first."""

from django.db.backends.postgresql import operations


class DatabaseOperations(operations.DatabaseOperations):
    compiler_module = "tenants.backend.compiler"
