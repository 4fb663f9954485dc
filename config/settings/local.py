"""A developer's machine and the demo: loosens what needs TLS, and nothing else."""

from config.logs import logging_config
from config.settings.base import *  # noqa: F403 - settings build on one another
from config.settings.base import PLATFORM_HOSTS, env

DEBUG = env.bool("DEBUG", default=True)
PLATFORM_HOSTS = [*PLATFORM_HOSTS, "localhost", "[::1]"]
SECURE_SSL_REDIRECT = False
SECURE_HSTS_SECONDS = 0
SESSION_COOKIE_SECURE = False
CSRF_COOKIE_SECURE = False
LOGGING = logging_config(env.str("LOG_LEVEL", default="INFO"), as_json=False)
# Mails to the log, links and all: for whoever tries things out.
if not env.str("EMAIL_URL", default=""):
    EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"
# Static files straight from the packages, without a collectstatic step.
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = True
