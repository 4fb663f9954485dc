"""The way in: hosts, middlewares, what each path is for, the API's manners, cookies and TLS."""

from __future__ import annotations

import re

from django.core.exceptions import ImproperlyConfigured

from config.settings.environment import BULKHEAD_BASE_DOMAIN, env

# AddressMiddleware comes before anything that reads the host, and answers 404 to every host that is
# neither the platform's, nor `<slug>.<base domain>`, nor a row of Domain.
ALLOWED_HOSTS = ["*"]
PLATFORM_HOSTS = [BULKHEAD_BASE_DOMAIN, "127.0.0.1", *env.list("PLATFORM_HOSTS", default=[])]

MIDDLEWARE = [
    "config.logs.RequestIdMiddleware",
    "config.observing.requests.ObservedMiddleware",
    "config.headers.SecurityHeadersMiddleware",
    # Answers preflights, which carry no credential; so before all that could refuse or redirect.
    "corsheaders.middleware.CorsMiddleware",
    "tenants.middleware.AddressMiddleware",
    "config.observing.readers.MetricsMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "tenants.middleware.TenantMiddleware",
]
ROOT_URLCONF = "config.urls_platform"
TENANT_URLCONF = "config.urls"
ASGI_APPLICATION = "config.asgi.application"
APPEND_SLASH = False
# Identity is asked about on the platform, not inside a tenant.
PLATFORM_PATHS = (
    "/api/v1/auth/",
    "/api/v1/docs/",
    "/api/v1/schema/",
    "/admin/",
    "/invitation/",
    "/email/confirm/",
    "/password/reset/",
)
# Parts of it that are: a person's own sessions in the tenant.
PERSONAL_PATHS = ("/api/v1/auth/logout/", "/api/v1/auth/sessions/")
# Whoever watches the platform is never turned away. On the platform's address, and exactly these.
UNMETERED_PATHS = ("/healthz", "/readyz")


def _origins(named: list[str]) -> list[str]:
    """Whole origins only: one without a scheme would let `Origin: null` in, which is anybody's."""
    for origin in named:
        if not re.fullmatch(r"https?://[a-z0-9.-]+(:[0-9]+)?", origin):
            raise ImproperlyConfigured(f"CORS_ALLOWED_ORIGINS: {origin!r} is no origin")
    return named


# Pages of these origins may call the API with a token of their own; cookies never come along.
CORS_ALLOWED_ORIGINS = _origins(env.list("CORS_ALLOWED_ORIGINS", default=[]))
CORS_ALLOW_CREDENTIALS = False
CORS_URLS_REGEX = r"^(/t/[^/]+)?/api/v1/"
CORS_ALLOW_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
CORS_ALLOW_HEADERS = (
    "accept",
    "authorization",
    "content-type",
    "idempotency-key",
    "if-match",
    "if-range",
    "range",
    "x-request-id",
)
CORS_EXPOSE_HEADERS = (
    "Accept-Ranges",
    "Content-Range",
    "ETag",
    "RateLimit-Limit",
    "RateLimit-Remaining",
    "RateLimit-Reset",
    "Retry-After",
    "X-Request-ID",
)

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["accounts.access.authentication.TenantAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["accounts.access.permissions.Denied"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["config.api.parsers.StrictJSONParser"],
    "DEFAULT_PAGINATION_CLASS": "config.api.pagination.CursorPages",
    "DEFAULT_FILTER_BACKENDS": [
        "config.api.parameters.KnownParameters",
        "django_filters.rest_framework.DjangoFilterBackend",
        "config.api.ordering.AllowedOrdering",
    ],
    "DEFAULT_SCHEMA_CLASS": "config.api.schema.ProblemSchema",
    "EXCEPTION_HANDLER": "config.api.problems.handle",
    "COERCE_DECIMAL_TO_STRING": True,
    "UNAUTHENTICATED_USER": None,
    "NUM_PROXIES": 0,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Bulkhead",
    "DESCRIPTION": "A multi-tenant trading platform with walls in the database.",
    "VERSION": "1.0.0",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SERVE_AUTHENTICATION": [],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "ENUM_NAME_OVERRIDES": {
        "MemberRoleEnum": "accounts.members.api.ROLES",
        "OrderTypeEnum": "trading.orders.faces.TYPES",
    },
}

SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", default=True)
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
SECURE_HSTS_SECONDS = 31_536_000
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
# Believed only where a proxy in front sets it for every request.
if env.bool("TRUST_FORWARDED_PROTO", default=False):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
CSRF_FAILURE_VIEW = "config.api.problems.csrf_failure"
# Only the staff's pages have cookies.
SESSION_COOKIE_SECURE = True
SESSION_COOKIE_SAMESITE = "Strict"
# An access token that is shown once must not travel in a cookie of its own.
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
SESSION_COOKIE_AGE = 8 * 60 * 60  # seconds
SESSION_COOKIE_PATH = "/admin/"
CSRF_COOKIE_SECURE = True
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = "Strict"
X_FRAME_OPTIONS = "DENY"
