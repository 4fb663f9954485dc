"""`/api/v1/usage/`: what a tenant may, asks and has."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.access.permissions import Needs
from accounts.access.roles import Permission
from tenants import context, usage
from tenants.usage import Period, Standing


class Usage(Needs):
    """Of the whole tenant, and numbers alone: all of its people share its limits."""

    read = Permission.READ_TRADING


class PlanLimitsOut(serializers.Serializer[Any]):
    """The plan's. `server_ms_per_second` is how long requests and their statements may take.

    `max_rows` and `max_bytes` are null where there is no end.
    """

    requests_per_minute = serializers.IntegerField()
    concurrent_requests = serializers.IntegerField()
    server_ms_per_second = serializers.IntegerField()
    statement_timeout_ms = serializers.IntegerField()
    cache_quota_bytes = serializers.IntegerField()
    max_rows = serializers.IntegerField(allow_null=True)
    max_bytes = serializers.IntegerField(allow_null=True)


class PeriodOut(serializers.Serializer[Any]):
    """Requests since `start`.

    `refused` had used up the requests of a minute (429 `too_many_requests`), `overdrawn` the server
    time (429 `too_much_time`), `crowded` had too many beside them (429 `too_many_at_once`).
    `denied` were let in and answered 4xx, `failed` 5xx; nineteen of twenty took at most `p95_ms`,
    null before any has ended.
    """

    start = serializers.DateTimeField()
    admitted = serializers.IntegerField()
    refused = serializers.IntegerField()
    overdrawn = serializers.IntegerField()
    crowded = serializers.IntegerField()
    denied = serializers.IntegerField()
    failed = serializers.IntegerField()
    p95_ms = serializers.IntegerField(allow_null=True)


class UsageOut(serializers.Serializer[Any]):
    """`rows` and `bytes` are counted about once an hour, last at `counted_at`; null before that.

    `bytes` are those of rows and files. `concurrent_requests` counts this one too.
    """

    limits = PlanLimitsOut()
    this_hour = PeriodOut()
    last_day = PeriodOut()
    concurrent_requests = serializers.IntegerField()
    cache_bytes = serializers.IntegerField()
    rows = serializers.IntegerField(allow_null=True)
    bytes = serializers.IntegerField(allow_null=True)
    counted_at = serializers.DateTimeField(allow_null=True)


class UsageView(APIView):
    permission_classes = [Usage]

    @extend_schema(responses=UsageOut, operation_id="usage")
    def get(self, request: Request) -> Response:
        found = usage.standing(context.require().tenant_id, now=timezone.now())
        return Response(UsageOut(_told(found)).data)


def _told(found: Standing) -> dict[str, Any]:
    measured = found.measured
    return {
        "limits": found.limits,
        "this_hour": _period(found.asked.this_hour),
        "last_day": _period(found.asked.day),
        "concurrent_requests": found.concurrent_requests,
        "cache_bytes": found.cache_bytes,
        "rows": measured.rows if measured else None,
        "bytes": measured.bytes if measured else None,
        "counted_at": measured.counted_at if measured else None,
    }


def _period(period: Period) -> dict[str, Any]:
    count = period.count
    numbers = ("admitted", "refused", "overdrawn", "crowded", "denied", "failed")
    told = {name: getattr(count, name) for name in numbers}
    return {"start": period.start, "p95_ms": period.p95_ms, **told}
