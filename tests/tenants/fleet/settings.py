"""The suite's settings and one app more, whose migrations stand in a folder of the test's own."""

from config.settings.base import SHARED_APPS as _SHARED
from config.settings.base import TENANT_APPS as _TENANTS
from config.settings.test import *  # noqa: F403 - settings build on one another

SHARED_APPS = [*_SHARED, "tests.tenants.fleet.harbour"]
TENANT_APPS = [*_TENANTS, "tests.tenants.fleet.harbour"]
INSTALLED_APPS = SHARED_APPS
MIGRATION_MODULES = {"harbour": "harbour_migrations"}  # found by PYTHONPATH
