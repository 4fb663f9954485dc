"""The client for what is neither cache nor message: revocations, rate limits, attempts."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from hashlib import sha1
from typing import Any

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.exceptions import NoScriptError
from redis.retry import Retry

from config.api.errors import DomainError
from config.observing import metrics, tracing
from tenants.identifiers import new_id

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
        metrics.valkey_failed()
        raise ValkeyAway(headers={"Retry-After": "2"}) from fault


class MarkedScript:
    """A script that asks first for a mark, its first key, which says that all is there.

    A server that comes back may have lost its last second and kept the mark. Scripts it keeps in no
    file: one that it does not know says that it has started since, and before it is told the script
    the mark goes. That costs nothing while it runs. `begin` comes before all is put there, and what
    it gave to `mark` after it.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self.name = sha1(text.encode(), usedforsecurity=False).hexdigest()

    def begin(self) -> str:
        """Tell the server the script; gives a name that it forgets when it starts anew.

        It is this call's own, so that nobody else can bring it back. Raises ValkeyAway.
        """
        with needed() as client:
            client.script_load(self.text)
            return str(client.script_load(f"return redis.call('SET', KEYS[1], 1) -- {new_id()}"))

    def mark(self, key: str, *, begun: str) -> None:
        """Say that all is there, unless the server has started since. Raises ValkeyAway."""
        with needed() as client, contextlib.suppress(NoScriptError):
            client.evalsha(begun, 1, key)

    def __call__(self, *, keys: list[str], args: list[Any]) -> Any:
        """Raises ValkeyAway."""
        with tracing.span("valkey script", "client", db__system="valkey"), needed() as client:
            try:
                return client.evalsha(self.name, len(keys), *keys, *args)
            except NoScriptError:
                client.delete(keys[0])
                client.script_load(self.text)
                return client.evalsha(self.name, len(keys), *keys, *args)
