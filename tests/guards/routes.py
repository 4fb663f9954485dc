"""All routes of the API, found by walking Django's own table."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver


@dataclass(frozen=True)
class Route:
    """One pattern: its view class, and the methods it answers (viewset action by method)."""

    pattern: str
    view: Any
    actions: dict[str, str]

    @property
    def is_detail(self) -> bool:
        return "(?P<pk>" in self.pattern

    def answers(self, method: str) -> bool:
        """Whether it takes this method; a view that is no viewset has a function for each."""
        return method in self.actions if self.actions else hasattr(self.view, method)

    @property
    def name(self) -> str:
        return self.pattern.replace("^", "").replace("\\", "").replace("/$", "/")


def api_routes() -> list[Route]:
    """Every DRF route of the tenant's address, the OpenAPI pages included."""
    return [route for route in _walk(get_resolver("config.urls"), "") if route.view is not None]


def _walk(resolver: URLResolver, prefix: str) -> Iterator[Route]:
    for entry in resolver.url_patterns:
        pattern = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from _walk(entry, pattern)
        elif isinstance(entry, URLPattern):
            callback = entry.callback
            view = getattr(callback, "cls", None) or getattr(callback, "view_class", None)
            yield Route(pattern, view, dict(getattr(callback, "actions", None) or {}))
