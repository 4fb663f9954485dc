"""`/healthz`: the process lives. `/readyz`: what it needs answers."""

from __future__ import annotations

from collections.abc import Callable

from django.core.cache import caches
from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse
from redis.exceptions import RedisError

from tenants.tasks import PULSE_KEY


def process(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"status": "ok"})


def readiness(request: HttpRequest) -> JsonResponse:
    """200 when database, cache and worker answer, 503 with the missing ones named."""
    checks: dict[str, Callable[[], bool]] = {
        "database": _database,
        "cache": _cache,
        "worker": _worker,
    }
    found = {name: check() for name, check in checks.items()}
    status = 200 if all(found.values()) else 503
    return JsonResponse({"status": "ok" if status == 200 else "waiting", **found}, status=status)


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
