"""The names of all routes, as Django finds them for a request."""

from __future__ import annotations

from collections.abc import Iterator

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
            # A method is known by its name alone, unlike in `lookup_str`.
            view = getattr(entry.callback, "view_class", entry.callback)
            yield space + (entry.name or f"{view.__module__}.{view.__name__}")
