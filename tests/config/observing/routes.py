"""The names of all routes, as Django finds them for a request."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver

NOBODY = "config.api.problems.page_not_found"


def route_names() -> set[str]:
    found = set(_names(get_resolver("config.urls"), "")) | set(
        _names(get_resolver("config.urls_platform"), "")
    )
    return found - {NOBODY}


def _names(resolver: URLResolver, space: str) -> Iterator[str]:
    for entry in resolver.url_patterns:
        if isinstance(entry, URLResolver):
            inner = f"{space}{entry.namespace}:" if entry.namespace else space
            yield from _names(entry, inner)
        elif isinstance(entry, URLPattern):
            yield space + (entry.name or _path(entry.callback))


def _path(view: Any) -> str:
    """As Django calls a view without a name."""
    view = getattr(view, "view_class", view)
    return f"{view.__module__}.{view.__name__}"
