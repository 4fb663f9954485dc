"""Who may read metrics: whoever brings `METRICS_TOKEN`. For all others there is nothing here."""

from __future__ import annotations

from collections.abc import Callable
from secrets import compare_digest
from typing import TYPE_CHECKING

from django.conf import settings
from django.http import HttpResponse
from prometheus_client import CONTENT_TYPE_LATEST

from config.observing import exposition

if TYPE_CHECKING:
    from django.http import HttpRequest

    from tenants.arrival import Arrival

PATH = "/metrics"


def is_reader(authorization: str) -> bool:
    """Whether an `Authorization` header brings the token; nobody does where none is set."""
    token = settings.METRICS_TOKEN
    brought = authorization.encode(errors="replace")
    return bool(token) and compare_digest(brought, f"Bearer {token}".encode())


class MetricsMiddleware:
    """Answers at the platform's address; whoever brings no token goes on to the door.

    There they are told what is told of any path that nobody serves, and pay as for any. It stands
    before the redirect to https, since a scraper comes by the inner network.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: Arrival) -> HttpResponse:
        if not _is_for_us(request):
            return self.get_response(request)
        told = exposition.counted() + exposition.measured()
        kept_by_nobody = {"Cache-Control": "private, no-store"}
        return HttpResponse(told, content_type=CONTENT_TYPE_LATEST, headers=kept_by_nobody)


def _is_for_us(request: Arrival) -> bool:
    if request.method != "GET" or request.path_info != PATH:
        return False
    at_platform = request.tenant_id is None
    return at_platform and is_reader(request.headers.get("Authorization", ""))
