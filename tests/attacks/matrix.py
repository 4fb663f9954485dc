"""Who may do what, read off the code: `python -m tests.attacks.matrix` writes docs/permissions.md.

Every route and method, held against roles and key scopes by what its view declares.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import django

if __name__ == "__main__":
    django.setup()

from rest_framework.permissions import SAFE_METHODS, AllowAny
from rest_framework.viewsets import ViewSetMixin

from accounts.access.permissions import Needs, SignedIn, SteppedUp
from accounts.access.roles import KEY_SCOPES, ROLES, KeyScope, Permission, Role
from tests.guards.routes import Route, api_routes

PAGE = Path(__file__).resolve().parents[2] / "docs" / "permissions.md"
METHODS = ("get", "post", "put", "patch", "delete")
_KEYS = {f"key:{scope.value}": scope for scope in KeyScope}
WHO = ("anonymous", *(role.value for role in Role), *_KEYS)


class Expected(StrEnum):
    OPEN = "open"  # to nobody in particular
    ALLOWED = "allowed"
    UNAUTHENTICATED = "401"
    FORBIDDEN = "403"


@dataclass(frozen=True)
class Operation:
    """One method of one route, and the permissions that all have to be there."""

    method: str
    path: str  # below /api/v1/, with {id} where an id stands
    permissions: tuple[type, ...]
    is_step_up: bool

    @property
    def name(self) -> str:
        return f"{self.method} {self.path}"


def operations() -> list[Operation]:
    found = {operation.name: operation for route in api_routes() for operation in _of(route)}
    return sorted(found.values(), key=lambda o: (o.path, METHODS.index(o.method.lower())))


def expected(operation: Operation, who: str) -> Expected:
    """By roles and key scopes alone: the object need not exist, and the body may be wrong."""
    if operation.permissions == (AllowAny,):
        return Expected.OPEN
    if who == "anonymous":
        return Expected.UNAUTHENTICATED
    passes = all(_passes(kind, operation, who) for kind in operation.permissions)
    return Expected.ALLOWED if passes else Expected.FORBIDDEN


def _passes(kind: type, operation: Operation, who: str) -> bool:
    if issubclass(kind, SteppedUp):
        return who not in _KEYS
    if issubclass(kind, SignedIn):
        return who not in _KEYS and who != Role.SUPPORT
    if issubclass(kind, Needs):
        needed = kind.read if operation.method in SAFE_METHODS else kind.write
        return needed in _held(who)
    raise NotImplementedError(f"{kind.__name__}: say here who passes it")


def _held(who: str) -> frozenset[Permission]:
    if who in _KEYS:
        return ROLES[Role.OWNER] & KEY_SCOPES[_KEYS[who]]
    return ROLES[Role(who)]


def _of(route: Route) -> Iterator[Operation]:
    path = _readable(route.name)
    if not path.startswith("api/v1/"):
        return
    for method in METHODS:
        kinds = _permissions(route, method)
        if kinds:
            yield Operation(method.upper(), path.removeprefix("api/v1/"), kinds, SteppedUp in kinds)


def _permissions(route: Route, method: str) -> tuple[type, ...]:
    """What DRF would ask; nothing for a method that the route does not answer."""
    view: Any = route.view
    if issubclass(view, ViewSetMixin):
        if method not in route.actions:
            return ()
        made = view(**getattr(getattr(view, route.actions[method]), "kwargs", {}))
        made.action = route.actions[method]
    else:
        if not hasattr(view, method):
            return ()
        made = view()
    made.request = SimpleNamespace(method=method.upper())
    return tuple(type(permission) for permission in made.get_permissions())


def _readable(pattern: str) -> str:
    named = re.sub(r"\(\?P<(\w+)>(?:[^()]|\([^()]*\))*\)", _placeholder, pattern.rstrip("$"))
    return re.sub(r"<(?:\w+:)?(\w+)>", _placeholder, named)


def _placeholder(match: re.Match[str]) -> str:
    return "{symbol}" if match[1] == "symbol" else "{id}"


def page() -> str:
    """Markdown: one row for each method of each route."""
    rows = [f"| {' | '.join(['', '', *WHO])} |", f"|{'---|' * (len(WHO) + 2)}"]
    for operation in operations():
        marks = [_mark(operation, who) for who in WHO]
        cells = [f"`{operation.method}`", f"`/{operation.path}`", *marks]
        rows.append(f"| {' | '.join(cells)} |")
    return _INTRODUCTION + "\n".join(rows) + "\n"


def _mark(operation: Operation, who: str) -> str:
    if expected(operation, who) in (Expected.UNAUTHENTICATED, Expected.FORBIDDEN):
        return "–"
    return "✓*" if operation.is_step_up else "✓"


_INTRODUCTION = """# Who may do what

Written by `python -m tests.attacks.matrix` from the permissions that each view declares, the roles
and the scopes of API keys (`accounts/access/roles.py`); a test tries every cell over HTTP, in both
kinds of tenant, and holds this page to the code. Paths are below `/api/v1`.

- ✓: let in; which rows there are to see is another matter: a trader's are the own, an owner's, an
  admin's and support's those of the whole tenant, and a viewer's what an owner has granted.
- ✓\\*: besides, somebody who has proven themselves within the last minutes (`/auth/step-up/`).
- –: refused, 401 without a credential and 403 with one.
- `key:…`: an API key of an owner; of anybody else it carries no more than their role does.

"""


if __name__ == "__main__":
    PAGE.write_text(page())
