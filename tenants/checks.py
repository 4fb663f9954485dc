"""System checks: models and settings without a database; the catalogue for `manage.py check`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.db import DEFAULT_DB_ALIAS, OperationalError, connections

from tenants import model_rules
from tenants.backend.routers import OWNER_ALIAS
from tenants.catalogue import inspection, known_tables
from tenants.errors import WrongDatabaseRole
from tenants.tickets import MIN_SECRET

_CACHED_WHOLE = ("UpdateCacheMiddleware", "FetchFromCacheMiddleware")

_UNSAFE_OPTIONS = (
    (12, "prepare_threshold", "a pooler hands prepared statements to others. Remove it."),
    (13, "options", "what it sets outlives a transaction. Use ALTER ROLE."),
    (14, "assume_role", "the log-in itself has to be the application's role."),
)
_SAFE_VALUES = (
    (15, "CONN_MAX_AGE", (0,), "has to be 0: the pool keeps connections and replaces cut ones."),
    (16, "ATOMIC_REQUESTS", (False,), "would open the transaction before the tenant is known."),
    (17, "TIME_ZONE", (None, "UTC"), "has to be UTC: set_config, for any other, is revoked."),
)


@register(Tags.models)
def check_models(**_: Any) -> list[CheckMessage]:
    """Every model is a tenant's behind its wall, or shared behind one of its own."""
    return list(model_rules.faults(frozenset(known_tables.shared_walls())))


@register(Tags.security)
def check_settings(**_: Any) -> list[CheckMessage]:
    """Settings on which the walls rest."""
    databases = connections.settings
    return [
        *database_faults(databases[DEFAULT_DB_ALIAS]),
        *_owner_faults(databases.get(OWNER_ALIAS)),
        *_region_faults(settings.REGIONS),
        *_app_faults(settings.SHARED_APPS, settings.TENANT_APPS),
        *_cache_faults(settings.CACHES[DEFAULT_DB_ALIAS], settings.MIDDLEWARE),
        *_secret_faults(settings.TENANT_TICKET_SECRET),
    ]


@register(Tags.database)
def check_catalogue(databases: Sequence[str] | None = None, **_: Any) -> list[CheckMessage]:
    """The gaps of `check_isolation`: all by the owner's log-in, else what the application sees."""
    if DEFAULT_DB_ALIAS not in (databases or ()):
        return []
    alias = OWNER_ALIAS if OWNER_ALIAS in connections else DEFAULT_DB_ALIAS
    try:
        found = inspection.inspect(alias)
    except (OperationalError, WrongDatabaseRole) as fault:
        return [Error(f"The catalogue could not be read: {fault}", id="tenants.E030")]
    return [
        Error(gap.sentence, obj=f"{gap.schema}.{gap.object}", id=f"tenants.{gap.code}")
        for gap in found.gaps
    ]


def database_faults(database: Mapping[str, Any]) -> Iterator[Error]:
    """The application's alias, which may run behind PgBouncer in transaction mode."""
    if database["ENGINE"] != "tenants.backend":
        yield _error(10, "DATABASES['default'] needs ENGINE tenants.backend.")
    options = database["OPTIONS"]
    if options.get("server_side_binding") is not True:
        yield _error(11, "DATABASES['default'] needs server_side_binding in OPTIONS.")
    for number, name, words in _UNSAFE_OPTIONS:
        if options.get(name) is not None:
            yield _error(number, f"DATABASES['default']['OPTIONS']['{name}']: {words}")
    for number, name, safe, words in _SAFE_VALUES:
        if database[name] not in safe:
            yield _error(number, f"DATABASES['default']['{name}']: {words}")


def _owner_faults(database: Mapping[str, Any] | None) -> Iterator[Error]:
    if database and database["ENGINE"] != "tenants.backend.owner":
        yield _error(18, "DATABASES['owner'] needs ENGINE tenants.backend.owner.")


def _region_faults(regions: Mapping[str, str]) -> Iterator[Error]:
    """A tenant's database is the application's: a region elsewhere would be one in name only."""
    if astray := [region for region, alias in regions.items() if alias != DEFAULT_DB_ALIAS]:
        yield _error(
            26, f"REGIONS: {', '.join(astray)}: nothing leads to another database than 'default'."
        )
    if "default" not in regions:
        yield _error(27, "REGIONS need 'default': that is where who signs up goes.")


def _app_faults(shared: Sequence[str], tenant: Sequence[str]) -> Iterator[Error]:
    """Tenants without a schema of their own live in `public`, so its apps include theirs."""
    if missing := [app for app in tenant if app not in shared]:
        yield _error(20, f"TENANT_APPS that are not in SHARED_APPS: {', '.join(missing)}.")
    order = [app for app in shared if app in ("tenants", "django_tenants")]
    if order != ["tenants", "django_tenants"]:
        yield _error(21, "SHARED_APPS need tenants before django_tenants: its commands come first.")
    if settings.TENANT_SYNC_ROUTER not in settings.DATABASE_ROUTERS:
        yield _error(22, "DATABASE_ROUTERS need the router that TENANT_SYNC_ROUTER names.")


def _cache_faults(cache: Mapping[str, Any], middleware: Sequence[str]) -> Iterator[Error]:
    if cache.get("KEY_FUNCTION") != "tenants.cache.tenant_key":
        yield _error(
            23,
            "CACHES['default'] needs KEY_FUNCTION tenants.cache.tenant_key: keys carry the tenant.",
        )
    if whole := [name for name in middleware if name.endswith(_CACHED_WHOLE)]:
        yield _error(24, f"{', '.join(whole)}: one tenant's page would be served to another.")


def _secret_faults(secret: object) -> Iterator[Error]:
    if not isinstance(secret, bytes) or len(secret) < MIN_SECRET:
        yield _error(25, f"TENANT_TICKET_SECRET has to be {MIN_SECRET} bytes or more.")


def _error(number: int, words: str) -> Error:
    return Error(words, id=f"tenants.E{number:03}")
