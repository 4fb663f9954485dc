"""`ETag` and `If-Match`: a change applies to what its author has read."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.encoders import JSONEncoder

from config.api.errors import DomainError
from config.api.readers import reader_of

IF_MATCH = OpenApiParameter(
    "If-Match",
    str,
    OpenApiParameter.HEADER,
    required=False,
    description="The ETag last read; a PATCH of a newer version is refused with 412.",
)


class VersionMismatch(DomainError):
    code = "version_mismatch"
    status = 412
    title = "The object has changed since it was read."


def etag_of(request: Request, data: Any) -> str:
    """A digest of the representation and its reader: it stands for what this person saw."""
    text = json.dumps([reader_of(request), data], cls=JSONEncoder, sort_keys=True)
    return f'"{hashlib.sha256(text.encode()).hexdigest()[:32]}"'


def with_etag(request: Request, data: Any, *, version: Any = None) -> Response:
    """`version` is what the tag stands for where that is less than all of `data`."""
    return Response(data, headers={"ETag": etag_of(request, data if version is None else version)})


def check_match(request: Request, data: Any) -> None:
    """Raises VersionMismatch when `If-Match` names another version than `data`."""
    asked = request.headers.get("If-Match")
    if asked and asked.strip() not in ("*", etag_of(request, data)):
        raise VersionMismatch
