"""`/healthz`: the process lives. `/readyz`: what it needs answers. And the same for the staff."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.cache import caches
from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse
from redis.exceptions import RedisError

from config.embedded.folder import DataFolder
from tenants import valkey
from tenants.tasks import PULSE_KEY

_NEXT_TRY = 5  # seconds
_LOOPBACK = ("127.0.0.1", "::1", "localhost")


@dataclass(frozen=True, slots=True)
class Readiness:
    """What the platform needs, and whether it answers."""

    database: bool
    cache: bool
    worker: bool

    @property
    def is_ready(self) -> bool:
        return self.database and self.cache and self.worker


@dataclass(frozen=True, slots=True)
class Server:
    """A server the platform stands on; "" where it does not say its version."""

    name: str
    answers: bool
    version: str
    is_embedded: bool


@dataclass(frozen=True, slots=True)
class Report:
    """What `/readyz` tells, with names and versions."""

    servers: tuple[Server, ...]
    worker: bool


def process(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"status": "ok"})


def readiness(request: HttpRequest) -> JsonResponse:
    """200 when database, cache and worker answer, 503 with the missing ones named.

    Whoever asks is to come back after a worker's next pulse.
    """
    found = look()
    told = {"status": "ok" if found.is_ready else "waiting", **asdict(found)}
    if found.is_ready:
        return JsonResponse(told)
    answer = JsonResponse(told, status=503, headers={"Retry-After": str(_NEXT_TRY)})
    # Django would log it as an error of ours; to wait is an answer, and has its line as any other.
    answer._has_been_logged = True  # type: ignore[attr-defined]  # what Django's log_response reads
    return answer


def report() -> Report:
    """For the staff, who have to know which server it is that answers."""
    found = look()
    database, cache = settings.DATABASES["default"], urlsplit(settings.REDIS_URL)
    embeds_postgres = _is_embedded("postgres", database["HOST"], database["PORT"])
    embeds_valkey = _is_embedded("valkey", cache.hostname, cache.port)
    return Report(
        servers=(
            Server("PostgreSQL", found.database, _postgres_version(), embeds_postgres),
            Server("Valkey", found.cache, _valkey_version(), embeds_valkey),
        ),
        worker=found.worker,
    )


def look() -> Readiness:
    """Ask each of them now."""
    return Readiness(database=_database(), cache=_cache(), worker=_worker())


def _database() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return False
    return True


def _cache() -> bool:
    try:
        caches["shared"].get(PULSE_KEY)
    except RedisError:
        return False
    return True


def _worker() -> bool:
    try:
        return caches["shared"].get(PULSE_KEY) is not None
    except RedisError:
        return False


def _postgres_version() -> str:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_setting('server_version')")
            return str(cursor.fetchone()[0])
    except DatabaseError:
        return ""


def _valkey_version() -> str:
    """Redis names itself too; and a managed server may keep INFO to itself."""
    try:
        told: Any = valkey.client().info("server")
    except RedisError:
        return ""
    return str(told.get("valkey_version") or told.get("redis_version", ""))


def _is_embedded(server: str, host: str | None, port: int | str | None) -> bool:
    """Whether this is the address at which the data folder's own server listens."""
    own = DataFolder(settings.BULKHEAD_DATA_DIR).port(server)
    return host in _LOOPBACK and own is not None and str(port) == str(own)
