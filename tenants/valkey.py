"""The client for what is neither cache nor message: revocations, rate limits, attempts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

from config.api.errors import DomainError

_TIMEOUT = 2.0  # seconds


class ValkeyAway(DomainError):
    """Whatever it would have told has to be taken for a no."""

    code = "unavailable"
    status = 503
    title = "The service is not available right now. Try again."


@cache
def client() -> redis.Redis:
    """One pool of connections for the process; one that was cut meanwhile is replaced once."""
    return redis.Redis.from_url(
        settings.REDIS_URL,
        socket_timeout=_TIMEOUT,
        socket_connect_timeout=_TIMEOUT,
        retry=Retry(NoBackoff(), 1),
    )


@contextmanager
def needed() -> Iterator[redis.Redis]:
    """The client, for what cannot be answered without it. Raises ValkeyAway."""
    try:
        yield client()
    except redis.RedisError as fault:
        raise ValkeyAway(headers={"Retry-After": "2"}) from fault
