"""Requests as an attacker writes them: any target, host and header, each from a new address."""

from __future__ import annotations

import json
from dataclasses import dataclass
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

from accounts.tokens import credentials
from accounts.tokens.credentials import Grant
from tenants.identifiers import new_id
from tests.cast import PASSWORD, Person, anywhere, now
from tests.web import Server

PROBLEM = "application/problem+json"
Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]  # by name in lower case
    content: bytes
    cookies: str = ""  # all that were set

    @property
    def text(self) -> str:
        return self.content.decode()

    def json(self) -> Any:
        return json.loads(self.content)

    @property
    def code(self) -> str:
        return str(self.json()["code"])

    @property
    def told(self) -> tuple[int, str]:
        """Status and code of a problem document."""
        assert self.headers["content-type"] == PROBLEM, self.text
        return self.status, self.code

    @property
    def shape(self) -> dict[str, Any]:
        """The document but for what differs from request to request."""
        return {name: value for name, value in self.json().items() if name != "request_id"}


def send(
    server: Server,
    method: str,
    target: str,
    *pairs: tuple[str, str],
    body: bytes = b"",
    host: str = "",
    at: str = "",
) -> Answer:
    """Exactly this request; `at` is the address that the proxy in front of us has seen."""
    home = urlsplit(server.url)
    connection = HTTPConnection(str(home.hostname), home.port, timeout=20)
    try:
        connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
        connection.putheader("Host", host or home.netloc)
        connection.putheader("X-Forwarded-For", at or anywhere())
        for name, value in pairs:
            connection.putheader(name, value)
        if body:
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body or None)
        got = connection.getresponse()
        headers = {name.lower(): value for name, value in got.getheaders()}
        cookies = ", ".join(got.headers.get_all("Set-Cookie") or ())
        return Answer(got.status, headers, got.read(), cookies)
    finally:
        connection.close()


def call(
    server: Server,
    method: str,
    path: str,
    body: Any = None,
    *pairs: tuple[str, str],
    credential: str = "",
    prefix: str = "",
    host: str = "",
    at: str = "",
) -> Answer:
    """An API call; `path` follows `/api/v1/`, `credential` is the whole `Authorization` value."""
    sent = pairs
    if credential:
        sent += (("Authorization", credential),)
    data = b""
    if body is not None:
        sent += (("Content-Type", "application/json"),)
        data = json.dumps(body).encode()
    return send(server, method, f"{prefix}/api/v1/{path}", *sent, body=data, host=host, at=at)


def log_in(server: Server, person: Person, *, at: str = "", **changes: str) -> Answer:
    body = {"email": person.email, "password": PASSWORD, **changes}
    return call(server, "POST", "auth/login/", body, at=at)


def session(server: Server, person: Person) -> dict[str, Any]:
    """What a log-in gives: `access`, `refresh` and the rest."""
    answer = log_in(server, person, tenant=person.tenant.slug)
    assert answer.status == 200, answer.text
    given: dict[str, Any] = answer.json()
    return given


def bearer(person: Person) -> str:
    return f"Bearer {person.token}"


def stepped_up(person: Person, **more: Any) -> str:
    """The `Authorization` of somebody who has just proven themselves."""
    moment = now()
    grant = Grant(
        person.user_id,
        person.tenant.id,
        person.role,
        new_id(),
        stepped_up_at=int(moment.timestamp()),
        **more,
    )
    return f"Bearer {credentials.issue(grant, now=moment)}"


def prefix(person: Person) -> str:
    return f"/t/{person.tenant.slug}"


def host(person: Person) -> str:
    return f"{person.tenant.slug}.localhost"
