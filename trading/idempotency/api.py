"""The `Idempotency-Key` header on views that move money or place orders."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.encoders import JSONEncoder

from config.api.problems import Invalid
from trading.idempotency import actions

HEADER = OpenApiParameter(
    "Idempotency-Key",
    str,
    OpenApiParameter.HEADER,
    required=False,
    description="The same key and body get the same answer; another body is refused with 422.",
)
MAX_LENGTH = 128


def answered(request: Request, act: Callable[[], tuple[int, Any]]) -> Response:
    """Run `act` (status and serialized data), once per key when the request brings one."""
    key = request.headers.get("Idempotency-Key")
    if not key:
        status, data = act()
        return Response(data, status=status)
    if len(key) > MAX_LENGTH or not key.isprintable():
        raise Invalid(f"Idempotency-Key takes up to {MAX_LENGTH} printable characters.")
    status, data = actions.once(
        key=key,
        method=str(request.method),
        path=request.path_info,
        body=request.data,
        now=timezone.now(),
        act=lambda: _plain(*act()),
    )
    return Response(data, status=status)


def _plain(status: int, data: Any) -> tuple[int, Any]:
    """The data as the client will read it, so that the kept answer is the same to the byte."""
    return status, json.loads(json.dumps(data, cls=JSONEncoder))
