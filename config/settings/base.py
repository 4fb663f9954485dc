"""Production values. Nothing here is unsafe by default; what is missing is said loudly."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import environ
from celery.schedules import crontab
from django.core.exceptions import ImproperlyConfigured

from config.logs import logging_config

env = environ.FileAwareEnv()
BASE_DIR = Path(__file__).resolve().parents[2]

DEBUG = False
# Rotate by moving the old one to the fallbacks: what it signed stays good until it runs out.
SECRET_KEY = env.str("SECRET_KEY")
SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", default=[])
# 32 bytes or more, in hex; the database holds what verifies it (see tenants/tickets.py).
TENANT_TICKET_SECRET = bytes.fromhex(env.str("TENANT_TICKET_SECRET"))
# 32 bytes each, in hex; the first seals. Without any, keys are derived from the secret keys.
SEALING_KEYS = env.list("SEALING_KEYS", default=[])
# 32 bytes each, in hex; the first seals the keys of backups. Only for processes that take or
# restore them: web and the common workers have none.
BACKUP_KEYS = env.list("BACKUP_KEYS", default=[])
# Where archives are kept, such as file:///var/backups/bulkhead or s3://bucket/prefix?region=…;
# empty: in the data folder. Of S3 the log-in is id:secret, or the machine's own if there is none.
BACKUP_STORAGE = env.str("BACKUP_STORAGE", default="")
BACKUP_STORAGE_LOGIN = env.str("BACKUP_STORAGE_LOGIN", default="")
# How many tenants' newest backups are put back each night to try them, in turns.
BACKUPS_TRIED_A_NIGHT = env.int("BACKUPS_TRIED_A_NIGHT", default=200)

# Where the server lays its WAL down for us to seal and store; see docs/disaster-recovery.md.
WAL_SPOOL = env.str("WAL_SPOOL", default="")
# To any instant of so many days the server can be brought back.
PLATFORM_BACKUP_DAYS = env.int("PLATFORM_BACKUP_DAYS", default=14)
# A server that somebody else has brought to an instant, read in place of a scratch server of ours.
DATABASE_CLONE_URL = env.str("DATABASE_CLONE_URL", default="")
# How PostgreSQL's programs are found, and a scratch server is run, without knowing config.
POSTGRES_PROGRAM = "config.embedded.binaries.postgres"
SCRATCH_ROOM = "config.embedded.scratch.room"
SCRATCH_SERVER = "config.embedded.scratch.serving"

BULKHEAD_BASE_DOMAIN = env.str("BULKHEAD_BASE_DOMAIN", default="localhost")
# What people open the platform with: scheme, host, and a port that is not the scheme's own.
BULKHEAD_ORIGIN = env.str("BULKHEAD_ORIGIN", default="") or f"https://{BULKHEAD_BASE_DOMAIN}"
BULKHEAD_DATA_DIR = Path(env.str("BULKHEAD_DATA_DIR", default=str(BASE_DIR / ".data")))
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
# AddressMiddleware comes before anything that reads the host, and answers 404 to every host that is
# neither the platform's, nor `<slug>.<base domain>`, nor a row of Domain.
ALLOWED_HOSTS = ["*"]
PLATFORM_HOSTS = [BULKHEAD_BASE_DOMAIN, "127.0.0.1", *env.list("PLATFORM_HOSTS", default=[])]

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
# How the ground floor learns who calls, without knowing accounts.
TENANT_CREDENTIALS = "accounts.tokens.schemes.identify"
TENANT_ENDED_SESSIONS = "accounts.ended.lately"
TENANT_WITNESS = "accounts.support.actions.witness"
TENANT_MISDIRECTED = "accounts.trail.misdirections.of_caller"
TENANT_TRAIL = "accounts.trail.actions.record"
TENANT_OWN_TRAIL = "accounts.audit.actions.record"
# What it takes to make a tenant, and to delete one, in this order: names that are kept with each
# tenant, and what does it, which may happen twice.
TENANT_STEPS = {
    "provision": (
        ("schema", "tenants.lifecycle.making.make_schema"),
        ("first-backup", "backups.steps.take_first"),
        ("open", "tenants.lifecycle.making.open_door"),
        ("owner", "accounts.onboarding.steps.give_to_owner"),
        ("welcome", "accounts.onboarding.steps.send_welcome"),
    ),
    "delete": (
        ("doors", "accounts.departure.steps.shut_doors"),
        ("last-backup", "backups.steps.take_last"),
        ("rows", "tenants.deletion.steps.remove_rows"),
        ("open-orders", "trading.orders.leaving.forget_orders"),
        ("exchanges", "trading.venues.backlog.leave"),
        ("people", "accounts.departure.steps.remove_people"),
        ("traces", "tenants.deletion.steps.remove_traces"),
        ("end", "tenants.deletion.steps.leave_name"),
    ),
}
# What is looked up for `/metrics`: functions of rooms (`config/observing/measure.py`), each with
# the server that it asks, if any: one that is away is waited for once.
MEASURES = {
    "config.observing.servers.disk": "",
    "config.observing.servers.queues": "valkey",
    "config.observing.servers.memory": "valkey",
    "tenants.measures.population": "database",
    "tenants.measures.moves": "database",
    "tenants.measures.workflows": "database",
    "config.observing.heartbeats.seen": "valkey",
    "tenants.measures.busiest": "valkey",
    "backups.measures.standing": "database",
    "backups.measures.server": "valkey",
    "trading.venues.backlog.measure": "valkey",
}
# Who reads `/metrics` brings this; without one nobody does.
METRICS_TOKEN = env.str("METRICS_TOKEN", default="")
# Where a worker answers `/metrics` itself; 0: nowhere.
METRICS_PORT = env.int("METRICS_PORT", default=0)
METRICS_BUSIEST_TENANTS = 20  # that have series of their own
# Where traces go, by OTLP over HTTP; without it none are made, and nothing of them is loaded.
TRACES_ENDPOINT = env.str("OTEL_EXPORTER_OTLP_ENDPOINT", default="")
TRACES_SHARE = env.float("TRACES_SHARE", default=1.0)  # of requests and tasks
SLOW_STATEMENT_MS = env.float("SLOW_STATEMENT_MS", default=250.0)
# How the staff's pages learn what the platform stands on, without knowing config.
STAFF_HEALTH = "config.health.report"
# The same for how tenants stand with their backups, by their ids.
STAFF_BACKUPS = "backups.queries.standing_of_each"
# And for how the whole server stands with its copies and its WAL.
STAFF_SERVER_BACKUPS = "backups.platform.standing.seen"
# What an API key may be bound to; rows of other models name it in `account_id`.
ACCOUNT_MODEL = "trading.Account"
# Tasks of a tenant whose work goes on after it was suspended, or whose rows have become others:
# whoever keeps something of them elsewhere, or has to make up for what passed them by.
AFTER_RETURN = ["trading.orders.tasks.catch_up"]
# What a copy of a tenant goes without: two would trade at one exchange, or answer for one another.
BACKUPS_NOT_COPIED = (
    "trading.ExchangeCredential",
    "trading.VenueIntent",
    "trading.IdempotentRequest",
)

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


def _database(variable: str, engine: str, **options: Any) -> dict[str, Any]:
    """One alias from a `postgres://` URL; the owner's and the backup's never pass a pooler."""
    database: dict[str, Any] = env.db_url(variable)
    merged = {**database.get("OPTIONS", {}), **options}
    return {**database, "ENGINE": engine, "OPTIONS": merged}


# Importing the class here would import Django's database layer before its settings exist.
_POOL = {
    "min_size": env.int("DATABASE_POOL_MIN", default=1),
    "max_size": env.int("DATABASE_POOL_MAX", default=16),
    "timeout": env.float("DATABASE_POOL_TIMEOUT", default=10.0),
    # Its server process keeps something of every schema that it has seen (decision 26).
    "max_lifetime": env.float("DATABASE_POOL_LIFETIME", default=900.0),
}
# So does one that has seen so many dedicated schemas, before its time is over.
DATABASE_SCHEMAS_PER_CONNECTION = env.int("DATABASE_SCHEMAS_PER_CONNECTION", default=32)
# How many processes serve this machine's port; each is told by whoever starts them.
WEB_PROCESSES = int(env.str("WEB_PROCESSES", default="") or 1)


def _shared(connections: int) -> int:
    """Of one process, if so many are the machine's; but for one slow statement at least two."""
    return min(connections, max(2, -(-connections // WEB_PROCESSES)))


# One tenant has so many connections at a time on a machine; its other requests wait.
CONNECTIONS_PER_TENANT = _shared(env.int("CONNECTIONS_PER_TENANT", default=4))
DATABASES = {
    "default": _database("DATABASE_URL", "tenants.backend", server_side_binding=True, pool=_POOL),
}
# Only processes that provision or migrate are given the owner's log-in.
if env.str("DATABASE_OWNER_URL", default=""):
    DATABASES["owner"] = _database("DATABASE_OWNER_URL", "tenants.backend.owner")
# How long a migration waits for a lock, while all who come after it wait too; and how often.
MIGRATION_LOCK_TIMEOUT_MS = env.int("MIGRATION_LOCK_TIMEOUT_MS", default=200)
MIGRATION_LOCK_TRIES = env.int("MIGRATION_LOCK_TRIES", default=12)
# Regions that tenants may be in, each with the alias of its database. Nothing leads to another than
# `default` yet, and a system check says so; docs/scaling.md says what a second one takes.
REGIONS = env.dict("REGIONS", default={"default": "default"})
# Only for operators' commands, which connect by themselves: as aliases any query could use them.
DATABASE_BACKUP_URL = env.str("DATABASE_BACKUP_URL", default="")
DATABASE_SUPERUSER_URL = env.str("DATABASE_SUPERUSER_URL", default="")

REDIS_URL = env.str("REDIS_URL")
_CACHE = {
    "serializer": "tenants.cache.JsonSerializer",
    "socket_timeout": 2.0,
    "socket_connect_timeout": 2.0,
}
CACHES = {
    "default": {
        "BACKEND": "tenants.cache.TenantCache",
        "LOCATION": REDIS_URL,
        "KEY_FUNCTION": "tenants.cache.tenant_key",
        "OPTIONS": _CACHE,
    },
    # Market data and other values that are the same for all.
    "shared": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "shared",
        "OPTIONS": _CACHE,
    },
}
CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.core.RedisChannelLayer",
        # Above the 5 s for which the layer waits for a message: else every idle socket is cut.
        "CONFIG": {
            "hosts": [{"address": REDIS_URL, "socket_timeout": 8.0, "socket_connect_timeout": 2.0}],
            "prefix": "bulkhead",
        },
    }
}

# Of one person in one tenant: events that can be read again, and sockets open at a time.
NOTIFICATIONS_KEPT = env.int("NOTIFICATIONS_KEPT", default=1_000)
SOCKETS_PER_USER = env.int("SOCKETS_PER_USER", default=10)

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
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default=f"bulkhead@{BULKHEAD_BASE_DOMAIN}")

CELERY_BROKER_URL = REDIS_URL
CELERY_IMPORTS = [
    "accounts.emails.tasks",
    "accounts.members.tasks",
    "accounts.onboarding.tasks",
    "accounts.passwords.tasks",
    "accounts.sessions.tasks",
    "accounts.trail.tasks",
    "tenants.measuring.tasks",
    "tenants.fleet.tasks",
    "tenants.lifecycle.tasks",
    "tenants.moving.tasks",
    "backups.tasks",
    "trading.idempotency.tasks",
    "trading.notifications.tasks",
    "trading.market.tasks",
    "trading.portfolio.tasks",
    "trading.positions.tasks",
]
# Schemas are the owner's. Of the workers one alone has its log-in, the operator, and what needs it
# has a queue of its own. So have backups, which read what is in all of them and take the night:
# nobody who waits for a tenant, or to be put back, stands behind them. WAL does not wait for the
# night's end either: whoever takes backups takes from its queue and from theirs in turn.
OPERATORS_QUEUE, BACKUPS_QUEUE, WAL_QUEUE = "operations", "backups", "wal"
OPERATORS_TASKS = (
    "backups.tasks.restore",
    "backups.tasks.take_up",
    "backups.tasks.verify",
    "tenants.fleet.tasks.*",
    "tenants.lifecycle.tasks.*",
    "tenants.moving.tasks.*",
    "trading.market.tasks.make_partitions",
)
WAL_TASKS = ("backups.tasks.ship_wal", "backups.tasks.look_at_server")
BACKUPS_TASKS = ("backups.tasks.*",)  # but for those above: a name goes before a pattern
CELERY_TASK_ROUTES = {
    **{name: {"queue": OPERATORS_QUEUE} for name in OPERATORS_TASKS},
    **{name: {"queue": WAL_QUEUE} for name in WAL_TASKS},
    **{name: {"queue": BACKUPS_QUEUE} for name in BACKUPS_TASKS},
}
# Workers of these queues, by the names that they are started with, say that they live.
WORKERS_APART = ("operator", "backups")
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_IGNORE_RESULT = True
# Of one tenant at a time, so that the others' find a worker: at most half of all processes.
TASKS_PER_TENANT = env.int("TASKS_PER_TENANT", default=1)
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# A dead worker's tasks come back after the visibility timeout; kombu's own sweep takes 100 s.
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 60,
    "unacked_restore_interval": 1,
    "unacked_restore_throttle": 1,
    "socket_timeout": 5.0,
}
CELERY_BEAT_SCHEDULE = {
    "expire-orders": {"task": "trading.orders.tasks.expire_everywhere", "schedule": 60.0},
    "check-open-orders": {
        "task": "trading.orders.tasks.check_index_everywhere",
        "schedule": 300.0,
    },
    "sweep-open-orders": {
        "task": "trading.orders.tasks.sweep_index",
        "schedule": crontab(minute="35"),
    },
    "match-what-is-left": {
        "task": "trading.orders.tasks.match_what_is_left",
        "schedule": 60.0,
    },
    "catch-up-with-returns": {
        "task": "trading.orders.tasks.catch_up_everywhere",
        "schedule": 60.0,
    },
    "sample-equity": {"task": "trading.portfolio.tasks.sample_everywhere", "schedule": 300.0},
    "thin-equity": {
        "task": "trading.portfolio.tasks.thin_everywhere",
        "schedule": crontab(hour="4", minute="40"),
    },
    "check-books": {
        "task": "trading.positions.tasks.check_books_everywhere",
        "schedule": crontab(hour="4", minute="10"),
    },
    "look-after-exchanges": {
        "task": "trading.venues.tasks.look_after_everywhere",
        "schedule": 60.0,
    },
    "measure-tenants": {
        "task": "tenants.measuring.tasks.measure_everywhere",
        "schedule": 300.0,
    },
    "look-at-the-fleet": {
        "task": "tenants.fleet.tasks.look",
        "schedule": 60.0,
        "options": {"expires": 60.0},
    },
    "take-up-tenants": {
        "task": "tenants.lifecycle.tasks.take_up",
        "schedule": 30.0,
        "options": {"expires": 30.0},
    },
    "take-up-moves": {
        "task": "tenants.moving.tasks.take_up",
        "schedule": 30.0,
        "options": {"expires": 30.0},
    },
    "worker-pulse": {"task": "tenants.tasks.pulse", "schedule": 5.0},
    "make-partitions": {
        "task": "trading.market.tasks.make_partitions",
        "schedule": crontab(hour="2", minute="40"),
    },
    "anchor-trails": {
        "task": "accounts.trail.tasks.anchor_everywhere",
        "schedule": crontab(hour="1", minute="20"),
    },
    "take-nightly-backups": {
        "task": "backups.tasks.take_due",
        "schedule": 300.0,
        "options": {"expires": 300.0},
    },
    "take-up-restorations": {
        "task": "backups.tasks.take_up",
        "schedule": 60.0,
        "options": {"expires": 60.0},
    },
    "lend-keys-of-backups": {"task": "backups.tasks.lend_waiting", "schedule": 300.0},
    "verify-backups": {
        "task": "backups.tasks.verify_some",
        "schedule": crontab(hour="3", minute="50"),
    },
    "ship-wal": {
        "task": "backups.tasks.ship_wal",
        "schedule": 60.0,
        "options": {"expires": 60.0},
    },
    "look-at-server": {
        "task": "backups.tasks.look_at_server",
        "schedule": 60.0,
        "options": {"expires": 60.0},
    },
    "copy-platform": {
        "task": "backups.tasks.copy_platform",
        "schedule": crontab(hour="0", minute="30"),
    },
    "prune-backups": {
        "task": "backups.tasks.prune",
        "schedule": crontab(hour="5", minute="20"),
    },
    "purge-sessions": {
        "task": "accounts.sessions.tasks.purge",
        "schedule": crontab(hour="3", minute="10"),
    },
    "trim-notifications": {
        "task": "trading.notifications.tasks.trim_everywhere",
        "schedule": crontab(minute="50"),
    },
    "purge-idempotency-keys": {
        "task": "trading.idempotency.tasks.purge_everywhere",
        "schedule": crontab(hour="3", minute="40"),
    },
}

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
SUPPORT_SESSION_SECONDS = 60 * 60
X_FRAME_OPTIONS = "DENY"

LOGGING = logging_config(env.str("LOG_LEVEL", default="INFO"), as_json=True)
