"""People: passwords, sessions, what is mailed to them, and how much each may ask for."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ImproperlyConfigured

from config.settings.environment import BULKHEAD_BASE_DOMAIN, BULKHEAD_ORIGIN, env

AUTH_USER_MODEL = "accounts.User"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "accounts.users.passwords.Length"},
    {"NAME": "accounts.users.passwords.Kinds"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
# How many proxies of ours have written X-Forwarded-For; 0 believes nobody but the socket.
TRUSTED_PROXIES = env.int("TRUSTED_PROXIES", default=0)
ADDRESS_REQUESTS_PER_MINUTE = env.int("ADDRESS_REQUESTS_PER_MINUTE", default=6_000)
PERSON_SHARE_OF_REQUESTS = 0.5  # of what the tenant's plan allows, kept for each
KEYS_SHARE_OF_REQUESTS = 0.25  # the same, for all API keys of a person
STEP_UP_SECONDS = 5 * 60
SUPPORT_SESSION_SECONDS = 60 * 60
SIGNUPS_PER_HOUR = env.int("SIGNUPS_PER_HOUR", default=20)  # of one address
INVITATION_SECONDS = 7 * 24 * 60 * 60
ACCESS_TOKEN_SECONDS = 15 * 60
REFRESH_TOKEN_SECONDS = 24 * 60 * 60
SESSION_SECONDS = 30 * 24 * 60 * 60  # however often it is refreshed
# The page that an invitation's mail leads to, if not ours; its token follows as the fragment.
INVITATION_URL = env.str("INVITATION_URL", default="") or f"{BULKHEAD_ORIGIN}/invitation/"
EMAIL_CONFIRMATION_SECONDS = 7 * 24 * 60 * 60
# The same for the mail of a sign-up.
EMAIL_CONFIRMATION_URL = (
    env.str("EMAIL_CONFIRMATION_URL", default="") or f"{BULKHEAD_ORIGIN}/email/confirm/"
)
PASSWORD_RESET_TIMEOUT = 60 * 60  # seconds
# The same for the mail of a reset.
PASSWORD_RESET_URL = (
    env.str("PASSWORD_RESET_URL", default="") or f"{BULKHEAD_ORIGIN}/password/reset/"
)


def _mail(variable: str) -> dict[str, Any]:
    """A mail server: whatever prints, keeps or drops mails shows links that open accounts."""
    mail: dict[str, Any] = env.email_url(variable, default="smtp://localhost:25")
    if mail["EMAIL_BACKEND"] != "django.core.mail.backends.smtp.EmailBackend":
        raise ImproperlyConfigured(f"{variable} names no mail server: smtp, smtp+tls or smtp+ssl")
    return mail


_MAIL = _mail("EMAIL_URL")
EMAIL_BACKEND = _MAIL["EMAIL_BACKEND"]
EMAIL_HOST = _MAIL["EMAIL_HOST"] or "localhost"
EMAIL_PORT = _MAIL["EMAIL_PORT"] or 25
EMAIL_HOST_USER = _MAIL["EMAIL_HOST_USER"] or ""
EMAIL_HOST_PASSWORD = _MAIL["EMAIL_HOST_PASSWORD"] or ""
EMAIL_USE_TLS = _MAIL.get("EMAIL_USE_TLS", False)
EMAIL_USE_SSL = _MAIL.get("EMAIL_USE_SSL", False)
EMAIL_TIMEOUT = 10.0  # seconds
# Who is told by mail of a backup that cannot be put back; nobody, if nobody is named.
OPERATORS_EMAILS = env.list("OPERATORS_EMAILS", default=[])
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default=f"bulkhead@{BULKHEAD_BASE_DOMAIN}")
# Of one person in one tenant: events that can be read again, and sockets open at a time.
NOTIFICATIONS_KEPT = env.int("NOTIFICATIONS_KEPT", default=1_000)
SOCKETS_PER_USER = env.int("SOCKETS_PER_USER", default=10)
