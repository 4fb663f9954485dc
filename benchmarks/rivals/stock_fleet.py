"""Our own apps and schemas under django-tenants' own backend, router and log-in, for its own
`migrate_schemas`."""

from tests.tenants.fleet import settings as ours
from tests.tenants.fleet.settings import *  # noqa: F403 - settings build on one another

DATABASES = {"default": ours.DATABASES["owner"]}
DATABASE_ROUTERS = ["django_tenants.routers.TenantSyncRouter"]
TENANT_SYNC_ROUTER = DATABASE_ROUTERS[0]
