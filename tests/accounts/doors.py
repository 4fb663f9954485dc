"""Ways in, as clients take them: each call from an address of its own."""

from __future__ import annotations

import time
from typing import Any

from django.test import Client

from accounts.tokens import credentials
from accounts.tokens.credentials import Grant
from tenants.identifiers import new_id
from tests.cast import PASSWORD, Person, anywhere, now


def call(
    method: str, path: str, body: Any = None, *, at: str = "", credential: str = "", **more: str
) -> Any:
    """`path` follows `/api/v1/`; `credential` is the whole `Authorization` value; `more` are
    other headers, with `_` for `-`."""
    client = Client(raise_request_exception=False, REMOTE_ADDR=at or anywhere())
    headers = {name.replace("_", "-"): value for name, value in more.items()}
    headers |= {"Authorization": credential} if credential else {}
    send = getattr(client, method.lower())
    return send(f"/api/v1/{path}", body, content_type="application/json", headers=headers)


def post(path: str, body: Any, **how: str) -> Any:
    return call("POST", path, body, **how)


def signed_in(person: Person, **more: str) -> str:
    """The `Authorization` of a session that really stands in the database."""
    body = {"email": person.email, "password": PASSWORD, "tenant": person.tenant.slug, **more}
    answer = post("auth/login/", body)
    assert answer.status_code == 200, answer.json()
    return f"Bearer {answer.json()['access']}"


def stepped_up(person: Person) -> str:
    """The `Authorization` of somebody who has just proven themselves."""
    grant = Grant(
        person.user_id, person.tenant.id, person.role, new_id(), stepped_up_at=int(time.time())
    )
    return f"Bearer {credentials.issue(grant, now=now())}"
