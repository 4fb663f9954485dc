"""Production's settings, on a loopback without TLS."""

from config.settings.base import *  # noqa: F403 - settings build on one another

SECURE_SSL_REDIRECT = False
ALLOWED_HOSTS = ["localhost"]
ROOT_URLCONF = "benchmarks.bulkhead.urls"
