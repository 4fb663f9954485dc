"""What an event of any trail says besides who did it, made safe to be kept for good."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any

from django.db import models
from django.utils import timezone

from config.api.fields import plain
from config.logs import request_id
from tenants import origin

# A name that says "secret" hides its value: a trail can't be cleaned of what went into it once.
_SECRET = re.compile(r"password|secret|token|otp|recovery|credential|digest", re.IGNORECASE)
HIDDEN = "***"


def entry(
    action: str,
    *,
    on: models.Model | None,
    kind: str,
    key: str,
    before: Mapping[str, Any] | None,
    after: Mapping[str, Any] | None,
) -> dict[str, Any]:
    """The fields that every event has. `on` names the object by its model and its key."""
    if on is not None:
        kind, key = kind or str(on._meta.model_name), key or str(on.pk)
    request = request_id.get()
    return {
        "at": timezone.now(),
        "action": action,
        "kind": kind,
        "key": key,
        "before": None if before is None else safe(before),
        "after": None if after is None else safe(after),
        "address": origin.address.get() or None,
        "request_id": "" if request == "-" else request,
    }


def safe(value: Any) -> Any:
    """In JSON's terms, without a secret: decimals and keys as text, times as ISO 8601."""
    match value:
        case Mapping():
            return {
                str(name): HIDDEN if _SECRET.search(str(name)) and inner else safe(inner)
                for name, inner in value.items()
            }
        case list() | tuple() | set() | frozenset():
            return [safe(inner) for inner in value]
        case Enum():
            return safe(value.value)
        case None | bool() | int() | str():
            return value
    return _text(value)


def _text(value: Any) -> str:
    match value:
        case Decimal():
            return plain(value)
        case datetime() | date():
            return value.isoformat()
    return str(value)
