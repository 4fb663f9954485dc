"""Production values. Nothing here is unsafe by default; what is missing is said loudly."""

from __future__ import annotations

from pathlib import Path

from config.settings.archives import *  # noqa: F403 - settings build on one another
from config.settings.environment import *  # noqa: F403 - settings build on one another
from config.settings.environment import BASE_DIR, BULKHEAD_DATA_DIR, env
from config.settings.observing import *  # noqa: F403 - settings build on one another
from config.settings.people import *  # noqa: F403 - settings build on one another
from config.settings.rooms import *  # noqa: F403 - settings build on one another
from config.settings.servers import *  # noqa: F403 - settings build on one another
from config.settings.web import *  # noqa: F403 - settings build on one another
from config.settings.work import *  # noqa: F403 - settings build on one another

DEBUG = False

# Ours come before django_tenants, so that `migrate`, `migrate_schemas`, `create_tenant` are ours.
SHARED_APPS = [
    "tenants",
    "accounts",
    "accounts.audit",
    "django_tenants",
    "trading.market",
    "trading",
    "backups",
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "accounts.staff.apps.StaffAdminConfig",
    "corsheaders",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "channels",
]
# Apps whose tables also stand in each dedicated schema.
TENANT_APPS = ["trading", "accounts.audit"]
INSTALLED_APPS = SHARED_APPS

TENANT_MODEL = "tenants.Tenant"
TENANT_DOMAIN_MODEL = "tenants.Domain"
TENANT_SYNC_ROUTER = "tenants.backend.routers.SchemaRouter"
DATABASE_ROUTERS = [TENANT_SYNC_ROUTER]

# Where exchanges are, by ccxt's name, if not at their own addresses: for sandboxes and tests.
VENUE_URLS = env.json("VENUE_URLS", default={})
# Whether calls to an exchange keep to the pace that it asks for.
VENUES_ARE_PACED = True
# Whether a worker that starts has all accounts compared with their exchanges.
COMPARE_AT_START = True
BULKHEAD_REPLAY_SPEED = env.float("BULKHEAD_REPLAY_SPEED", default=12.0)
# By its id in ccxt; where none is named, no market data is fetched.
MARKET_EXCHANGE = env.str("MARKET_EXCHANGE", default="")
MARKET_EXCHANGE_URL = env.str("MARKET_EXCHANGE_URL", default="")

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "config" / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
STATIC_URL = "/static/"
STATIC_ROOT = Path(env.str("BULKHEAD_STATIC_DIR", default=str(BULKHEAD_DATA_DIR / "static")))
STORAGES = {
    "default": {
        "BACKEND": "tenants.files.TenantStorage",
        "OPTIONS": {"location": BULKHEAD_DATA_DIR / "files"},
    },
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedStaticFilesStorage"},
}

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_I18N = False
DATETIME_FORMAT = "Y-m-d H:i:s"
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
DATA_UPLOAD_MAX_MEMORY_SIZE = 1_048_576  # bytes
