"""JSON bodies that the rest of the program can bear: bounded depth, finite numbers, real text."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import IO, Any

from django.http import HttpRequest
from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser
from rest_framework.utils import json

# The API's bodies are flat. What is parsed near the interpreter's limit would still break whoever
# walks it later from a deeper stack (validation, the digest of an idempotent request).
MAX_DEPTH = 32


class StrictJSONParser(JSONParser):
    """RFC 8259: UTF-8 whatever the charset says, without NaN and Infinity."""

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        try:
            body: dict[str, Any] = json.loads(_read(stream).decode("utf-8"))
            _check(body)
        except RecursionError as fault:
            raise ParseError("The body is nested too deeply.") from fault
        except ValueError as fault:
            raise ParseError(f"The body cannot be read: {fault}") from fault
        return body


def _read(stream: IO[Any]) -> bytes:
    """A request read as a stream would pass by DATA_UPLOAD_MAX_MEMORY_SIZE; its body does not."""
    return stream.body if isinstance(stream, HttpRequest) else bytes(stream.read())


def _check(body: Any) -> None:
    """Level by level, never recursively. Raises ValueError."""
    level: list[Any] = [body]
    for _ in range(MAX_DEPTH):
        level = [part for value in level for part in _parts(value)]
        if not level:
            return
    raise ValueError("it is nested too deeply.")


def _parts(value: Any) -> Iterable[Any]:
    """What is inside. Raises ValueError for what can be written in JSON, but not be stored."""
    match value:
        case dict():
            return [*value.keys(), *value.values()]
        case list():
            return value
        case str() if not _is_text(value):
            raise ValueError("a string has a surrogate without its pair.")
        case float() if not math.isfinite(value):  # 1e400
            raise ValueError("a number is too large.")
    return ()


def _is_text(value: str) -> bool:
    """A lone surrogate can neither be stored nor be repeated in an error's message."""
    return value.isascii() or not any("\ud800" <= letter <= "\udfff" for letter in value)
