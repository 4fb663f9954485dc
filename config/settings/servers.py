"""PostgreSQL and Valkey: who is connected to, by how many, and under which name."""

from __future__ import annotations

from typing import Any

from config.settings.environment import env


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
