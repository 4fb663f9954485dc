"""All that Valkey holds, as plain bytes: lists, sets and streams read, and tasks unpacked."""

from __future__ import annotations

import json
import os
from base64 import b64decode
from collections.abc import Iterator
from typing import Any

import redis

_WHOLE = (0, -1)


def contents() -> Iterator[tuple[bytes, bytes]]:
    """Every key with what it holds. DUMP would pack texts, and so hide them."""
    client = _client()
    for key in client.scan_iter(count=1000):
        kind = client.type(key).decode()
        yield key, b"\n".join(_plain(value) for value in _READ[kind](client, key))


def forget(queue: str) -> None:
    """A queue that nobody reads."""
    _client().delete(queue, f"_kombu.binding.{queue}")


def _client() -> Any:
    return redis.Redis.from_url(os.environ["REDIS_URL"])


def _string(client: Any, key: bytes) -> list[bytes]:
    value = client.get(key)
    return [] if value is None else [value]  # it may have run out since


def _pairs(client: Any, key: bytes) -> list[bytes]:
    return [part for pair in client.hgetall(key).items() for part in pair]


def _stream(client: Any, key: bytes) -> list[bytes]:
    return [p for _, fields in client.xrange(key) for pair in fields.items() for p in pair]


_READ: dict[str, Any] = {
    "none": lambda *_: [],  # it has run out
    "string": _string,
    "list": lambda client, key: client.lrange(key, *_WHOLE),
    "set": lambda client, key: client.smembers(key),
    "zset": lambda client, key: client.zrange(key, *_WHOLE),
    "hash": _pairs,
    "stream": _stream,
}


def _plain(value: bytes) -> bytes:
    """With the body of a Celery message, which travels in base64."""
    return value + b"".join(_bodies(value))


def _bodies(value: bytes) -> Iterator[bytes]:
    try:
        found = json.loads(value)
    except ValueError:
        return
    while isinstance(found, list) and found:  # kombu keeps what a worker holds as [message, …]
        found = found[0]
    if isinstance(found, dict) and found.get("properties", {}).get("body_encoding") == "base64":
        yield b64decode(found["body"])
