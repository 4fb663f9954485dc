"""What all rivals have in common with Bulkhead: everything that is not about tenants."""

from __future__ import annotations

from typing import Any

from config.settings import base
from config.settings.base import env

APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "django_filters",
]
CALLER = "benchmarks.rivals.caller.CallerMiddleware"
MIDDLEWARE = [
    *(name for name in base.MIDDLEWARE if not name.startswith(("tenants.", "trading."))),
    CALLER,
]
# Each takes part as it comes, and with what Bulkhead has as well: a transaction for each request.
TRANSACTION = env.bool("RIVAL_TRANSACTION", default=False)

COMMON = {
    "SECRET_KEY": base.SECRET_KEY,
    "REDIS_URL": base.REDIS_URL,
    "TRUSTED_PROXIES": base.TRUSTED_PROXIES,
    "TRACES_ENDPOINT": base.TRACES_ENDPOINT,
    "ALLOWED_HOSTS": ["localhost", ".localhost"],
    "REST_FRAMEWORK": base.REST_FRAMEWORK,
    "LOGGING": base.LOGGING,
    "USE_TZ": True,
    "USE_I18N": False,
    "TIME_ZONE": "UTC",
    "DEFAULT_AUTO_FIELD": base.DEFAULT_AUTO_FIELD,
    "STATIC_URL": base.STATIC_URL,
    "STATIC_ROOT": base.STATIC_ROOT,
    "APPEND_SLASH": False,
    "ROOT_URLCONF": "benchmarks.rivals.urls",
    "SECURE_HSTS_SECONDS": base.SECURE_HSTS_SECONDS,
    "SECURE_CONTENT_TYPE_NOSNIFF": True,
    "X_FRAME_OPTIONS": base.X_FRAME_OPTIONS,
}


def database(engine: str, *, atomic: bool, **options: Any) -> dict[str, Any]:
    """The same driver, binding and pool as Bulkhead's."""
    same = {"server_side_binding": True, "pool": dict(base.DATABASES["default"]["OPTIONS"]["pool"])}
    return {
        **env.db_url("DATABASE_URL"),
        "ENGINE": engine,
        "ATOMIC_REQUESTS": atomic,
        "OPTIONS": {**same, **options},
    }
