"""Each request, counted by its route and traced; within it statements know whose they are."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from config.logs import request_id
from config.observing import metrics, tracing, work
from config.observing.work import NAMELESS, Work

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

# The view of whatever path nobody serves.
_NOBODY = "config.api.problems.page_not_found"


class ObservedMiddleware:
    """Counts what is answered. What nobody serves, or is refused at the door, has the route `-`."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        started = time.perf_counter()
        with work.doing(Work()) as doing, tracing.span("request", "server"):
            response = self.get_response(request)
            if tracing.are_on():
                _describe(request, response, doing.name)
        metrics.request(
            method=str(request.method),
            route=doing.name,
            status=response.status_code,
            tier=getattr(request, "tier", NAMELESS),
            seconds=time.perf_counter() - started,
        )
        return response

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> None:
        """The route is known by now, and not one statement of the view has been sent."""
        doing, found = work.current(), request.resolver_match
        if doing is not None and found is not None and found.view_name != _NOBODY:
            doing.name = found.view_name


def _describe(request: HttpRequest, response: HttpResponse, route: str) -> None:
    caller = getattr(request, "identity", None)
    tenant_id = caller.tenant_id if caller else getattr(request, "tenant_id", None)
    told = {
        "http__request__method": str(request.method),
        "http__route": route,
        "http__response__status_code": str(response.status_code),
        "tenant__id": str(tenant_id or NAMELESS),
        "user__id": str(caller.user_id if caller else NAMELESS),
        "request__id": request_id.get(),
    }
    tracing.describe(f"{request.method} {route}", failed=response.status_code >= 500, **told)
