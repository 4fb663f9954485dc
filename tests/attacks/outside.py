"""What is served outside of the API, and to whom: pages of the platform, and the stream."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.urls import URLResolver, get_resolver

from accounts.access.roles import Role

# Of the staff's pages those that do not simply show themselves to staff.
_STAFF = {
    "/admin/login/": 302,  # to the first page: they are in
    "/admin/logout/": 405,  # a form's
    "/admin/autocomplete/": 403,  # nothing is offered there
    "/admin/r/{id}/{id}/": 404,
    "/admin/tenants/tenant/{id}/progress/": 404,
    "/admin/tenants/tenant/{id}/do/{id}/": 404,
    "/admin/{app}/": 302,  # to the first page
    "/admin/{anything}": 404,
}
_OPEN = ("/healthz", "/readyz", "/admin/login/")
_MAY_BE_ADDED = (
    "/admin/tenants/plan/add/",
    "/admin/tenants/tenant/add/",
    "/admin/accounts/supportsession/add/",
)
# Paths that nobody serves.
_NOBODYS = ("/nowhere", "/")
STREAM = "/ws/v1/stream/"
# How the stream meets each at the platform's address and at the tenant's: 0 for who is let in.
NO_TOKEN, ANOTHER_TENANTS = 4401, 4403


@dataclass(frozen=True)
class Page:
    """A GET of one path at the platform's address: what each kind of caller is answered."""

    path: str  # with {id} where an id stands
    anyone: int  # without a credential, and with any credential of the API
    half: int  # staff who have shown the password alone
    staff: int

    def example(self, key: str) -> str:
        """The path as somebody may ask for it."""
        named = {"{id}": key, "{app}": "tenants", "{anything}": "no-such-page"}
        return re.sub(r"\{\w+\}", lambda match: named[match[0]], self.path)


def pages() -> list[Page]:
    """Every route outside of the API, found by walking Django's own table."""
    paths = [f"/{path}" for path in _walk(get_resolver("config.urls_platform"), "")]
    outside = [path for path in paths if path != "/" and not path.startswith("/api/")]
    return [_page(path) for path in (*outside, *_NOBODYS)]


def stream_answer(who: str) -> int:
    """The code that the stream is closed with; 0 for who is let in."""
    return 0 if who in set(Role) else NO_TOKEN


def _page(path: str) -> Page:
    if not path.startswith("/admin/"):
        status = 404 if path in _NOBODYS else 200
        return Page(path, status, status, status)
    anyone = 200 if path in _OPEN else 302
    return Page(path, anyone, 200 if path == "/admin/code/" else anyone, _of_staff(path))


def _of_staff(path: str) -> int:
    if path.endswith("/delete/"):
        return 403
    if path.endswith("/add/"):
        return 200 if path in _MAY_BE_ADDED else 403
    if path in _STAFF:
        return _STAFF[path]
    return 302 if "{id}" in path else 200  # there is no such object


def _walk(resolver: Any, prefix: str) -> Iterator[str]:
    for entry in resolver.url_patterns:
        pattern = prefix + _readable(str(entry.pattern))
        if isinstance(entry, URLResolver):
            yield from _walk(entry, pattern)
        else:
            yield pattern


def _readable(pattern: str) -> str:
    app = re.sub(r"\(\?P<app_label>[^)]*\)", "{app}", pattern)
    anything = app.replace("(?P<url>.*)", "{anything}")
    return re.sub(r"<\w+:\w+>", "{id}", anything).replace("^", "").rstrip("$")


def table() -> str:
    """Markdown: who gets which page, and how the stream meets them."""
    rows = ["|  | anyone | staff, password only | staff |", "|---|---|---|---|"]
    rows += [f"| `{p.path}` | {p.anyone} | {p.half} | {p.staff} |" for p in pages()]
    return "\n".join(rows) + "\n"
