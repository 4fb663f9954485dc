"""Which tables belong in which schema, and which log-in may make them."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import connections
from django_tenants.routers import TenantSyncRouter
from django_tenants.utils import get_public_schema_name

OWNER_ALIAS = "owner"


class SchemaRouter(TenantSyncRouter):  # type: ignore[misc]  # it has no types
    """django-tenants' rule, for the owner's connection: the application's makes no tables."""

    def allow_migrate(
        self, db: str, app_label: str, model_name: str | None = None, **hints: Any
    ) -> bool | None:
        if db != OWNER_ALIAS:
            return False
        connection: Any = connections[db]
        public = connection.schema_name == get_public_schema_name()
        apps = settings.SHARED_APPS if public else settings.TENANT_APPS
        return None if self.app_in_list(app_label, apps) else False
