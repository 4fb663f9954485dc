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
from tests.attacks import outside
from tests.guards.routes import Route, api_routes

PAGE = Path(__file__).resolve().parents[2] / "docs" / "permissions.md"
METHODS = ("get", "post", "put", "patch", "delete")
_KEYS = {f"key:{scope.value}": scope for scope in KeyScope}
WHO = ("anonymous", *(role.value for role in Role), *_KEYS)


# What the matrix sends names objects that are not there and says nothing: `{}`. So whoever is let
# in is answered 200 to a GET, 404 where the path names an object, and 400 to the rest; but here.
ANSWERS = {
    # what has to be said is looked at before the object is
    "PUT accounts/{id}/auto-buy/": 400,
    "PUT accounts/{id}/credentials/": 400,
    "POST accounts/{id}/deposit/": 400,
    "POST accounts/{id}/withdraw/": 400,
    "GET instruments/{symbol}/gaps/": 400,
    "POST positions/{id}/add-funds/": 400,
    "POST positions/{id}/ai-logs/": 400,
    "POST positions/{id}/limit-orders/": 400,
    "PATCH positions/{id}/limit-orders/{id}/": 400,
    "PATCH positions/{id}/notes/": 400,
    "PUT positions/{id}/perpetual/": 400,
    # nothing has to be said
    "POST backups/": 202,
    "POST auth/email/": 202,
    "POST auth/logout/": 204,
    "DELETE auth/membership/": 204,
    "DELETE auth/sessions/": 200,
    "POST notifications/read-all/": 200,
    "POST orders/cancel-all/": 200,
    # there is no second factor
    "POST auth/mfa/recovery-codes/": 409,
    "DELETE auth/mfa/totp/": 409,
    "POST auth/mfa/totp/confirm/": 409,
}
# What tells the right person with wrong words from the wrong person: an empty one gets a 401 too.
BODIES: dict[str, Any] = {"POST auth/step-up/": {"password": []}}
# What ends the session, or the membership, that all the others are tried with.
FATAL = ("POST auth/logout/", "DELETE auth/sessions/", "DELETE auth/membership/")


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


def status(operation: Operation, who: str) -> int:
    """What is answered to what the matrix sends."""
    promised = expected(operation, who)
    if promised in (Expected.UNAUTHENTICATED, Expected.FORBIDDEN):
        return int(promised)
    if operation.name in ANSWERS:
        return ANSWERS[operation.name]
    if "{" in operation.path:
        return 404
    return 200 if operation.method == "GET" else 400


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
    return _INTRODUCTION + "\n".join(rows) + "\n" + _OUTSIDE + outside.table() + _stream()


def _mark(operation: Operation, who: str) -> str:
    answered = status(operation, who)
    if expected(operation, who) in (Expected.UNAUTHENTICATED, Expected.FORBIDDEN):
        return str(answered)
    return f"✓\\* {answered}" if operation.is_step_up else f"✓ {answered}"


def _stream() -> str:
    """Which callers the stream lets in, and the code it is closed with for the others."""
    marks = [str(outside.stream_answer(who) or "✓") for who in WHO]
    rows = [["", *WHO], ["---"] * (len(WHO) + 1), [f"`{outside.STREAM}`", *marks]]
    return _STREAM + "".join(f"| {' | '.join(row)} |\n" for row in rows)


_INTRODUCTION = """# Who may do what

Written by `python -m tests.attacks.matrix` from the permissions that each view declares, the roles
and the scopes of API keys (`accounts/access/roles.py`); a test tries every cell over HTTP, in both
kinds of tenant, which answer alike, and holds this page to the code.

## The API

Paths are below `/api/v1`. A number is the status of the answer to what the test sends, and no other
passes: a body without a field (`{}`), and ids of objects that are not there.

- ✓: let in. 200, 202, 204: it was done. 404: it would have been, if the object were there. 400: if
  the body had said what. 409: if there were a second factor. Which rows there are to see is another
  matter: a trader's are the own, an owner's, an admin's and support's those of the whole tenant,
  and a viewer's what an owner has granted.
- ✓\\*: besides, somebody who has proven themselves within the last minutes (`/auth/step-up/`);
  anybody else of the role gets a 403.
- 401, 403: refused, without a credential and with one.
- `key:…`: an API key of an owner; of anybody else it carries no more than their role does.
- What ends the caller's own session or membership is tried by people made for it.

"""
_OUTSIDE = """
## Outside of the API

A GET at the platform's address. *Anyone* is each caller of the table above: credentials of the API
mean nothing here. *Staff* come with the cookie of the staff's log-in. At a tenant's address all of
these are a 404, for everybody. A POST without the token of a form is a 403, for everybody. A 302
leads to the log-in; staff it leads to the first page, for an object that is not there. `/readyz` is
a 503 while something is away that the platform needs, and the test has a worker's pulse sent.

"""
_STREAM = """
The stream, at the address of the platform and of the tenant: ✓ is let in, a number is the code that
the socket is closed with. A token of another tenant is closed with 4403 at a tenant's address. Who
is let in hears of their own alone.

"""


if __name__ == "__main__":
    PAGE.write_text(page())
