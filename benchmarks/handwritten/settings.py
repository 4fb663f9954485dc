"""Bulkhead's settings, with Django's own backend and a transaction that enters nothing."""

from config.settings.base import *  # noqa: F403 - settings build on one another
from config.settings.base import DATABASES, MIDDLEWARE

SECURE_SSL_REDIRECT = False
ALLOWED_HOSTS = ["localhost"]
ROOT_URLCONF = "benchmarks.handwritten.urls"
DATABASES = {"default": {**DATABASES["default"], "ENGINE": "django.db.backends.postgresql"}}
MIDDLEWARE = [
    name.replace("tenants.middleware.Tenant", "benchmarks.handwritten.middleware.Transaction")
    for name in MIDDLEWARE
]
