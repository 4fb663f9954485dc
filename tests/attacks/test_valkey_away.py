"""Valkey stopped and started again: no door stands open, and nobody has to restart anything."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from accounts.users.models import User
from config.embedded.server import Server as EmbeddedServer
from config.embedded.servers import running
from tenants.models import Tenant
from tests import web
from tests.cast import PASSWORD, House
from tests.web import Server, serve

NEW = "Another-horse-8"


@pytest.fixture(scope="module")
def own_valkey() -> Iterator[tuple[EmbeddedServer, str]]:
    """A Valkey that only this module's web process uses."""
    given = {name: value for name, value in os.environ.items() if name != "REDIS_URL"}
    with TemporaryDirectory(prefix="bulkhead-valkey-") as folder:
        Path(folder).chmod(0o755)
        with running(Path(folder) / "data", durable=False, given=given) as servers:
            yield servers.started[0], servers.redis_url


@pytest.fixture(scope="module")
def site(own_valkey: tuple[EmbeddedServer, str]) -> Iterator[Server]:
    with serve(REDIS_URL=own_valkey[1]) as server:
        yield server


def ask(site: Server, method: str, path: str, token: str = "", **body: str) -> httpx.Response:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return web.ask(
        method, f"{site.url}/api/v1/{path}", headers=headers, json=body or None, timeout=20
    )


def log_in(site: Server, house: House) -> httpx.Response:
    return ask(site, "POST", "auth/login/", email=house.alice.email, password=PASSWORD)


def with_key(site: Server, house: House, token: str) -> str:
    """The `Authorization` of an API key, issued by who has just proven themselves."""
    fresh = ask(site, "POST", "auth/step-up/", token, password=PASSWORD).json()["access"]
    issued = ask(site, "POST", "api-keys/", fresh, name="bot", scope="trade")
    assert issued.status_code == 201, issued.json()
    return f"Api-Key {issued.json()['key']}"


def answers(site: Server, token: str, status: int) -> bool:
    """Whether it gives this status within some seconds."""
    for _ in range(50):
        if ask(site, "GET", "accounts/", token).status_code == status:
            return True
        time.sleep(0.2)
    return False


def test_without_valkey_every_door_is_closed_and_afterwards_open_again(
    site: Server, own_valkey: tuple[EmbeddedServer, str], house: House
) -> None:
    valkey = own_valkey[0]
    signed_in = log_in(site, house).json()
    token, refresh = signed_in["access"], signed_in["refresh"]
    key = {"Authorization": with_key(site, house, token)}
    ended = log_in(site, house).json()["access"]
    assert ask(site, "POST", "auth/logout/", ended).status_code == 204
    assert ask(site, "GET", "accounts/", ended).json()["code"] == "session_ended"
    email = f"new{house.tenant.slug}@example.org"
    valkey.stop()
    try:
        for answer in (
            ask(site, "GET", "accounts/", token),
            ask(site, "POST", "accounts/", token, name="x"),
            ask(site, "GET", "accounts/", ended),
            ask(site, "POST", "auth/logout/", token),
            log_in(site, house),
            ask(site, "POST", "auth/refresh/", refresh=refresh),
            ask(site, "POST", "auth/step-up/", token, password=PASSWORD),
            ask(site, "POST", "auth/password/", token, current=PASSWORD, new=NEW),
            ask(site, "POST", "auth/password/reset/", email=house.alice.email),
            ask(site, "POST", "auth/signup/", email=email, password=PASSWORD, tenant="new-here"),
            ask(site, "POST", "api-keys/", token, name="bot", scope="trade"),
            web.ask("GET", f"{site.url}/api/v1/accounts/", headers=key, timeout=20),
            web.ask("GET", f"{site.url}/admin/", timeout=20),
            web.ask("POST", f"{site.url}/admin/login/", data={"email": email}, timeout=20),
            web.ask("GET", f"{site.url}/invitation/", timeout=20),
        ):
            assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
            assert answer.headers["Retry-After"]
        address = site.url.replace("http", "ws") + "/ws/v1/stream/"
        with connect(address, subprotocols=[f"bulkhead.token.{token}"]) as socket:
            with pytest.raises(ConnectionClosed) as closed:
                socket.recv(timeout=20)
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == 1013
        with pytest.raises(InvalidStatus) as refused:  # who brings no token is not even accepted
            connect(address)
        assert refused.value.response.status_code == 503
        assert refused.value.response.headers["Retry-After"]
        assert web.ask("GET", f"{site.url}/healthz").status_code == 200
        assert web.ask("GET", f"{site.url}/readyz").json()["cache"] is False
    finally:
        valkey.start()
    assert answers(site, token, 200)
    # It came back empty, and was told again.
    assert ask(site, "GET", "accounts/", ended).json()["code"] == "session_ended"
    assert log_in(site, house).status_code == 200
    # What was refused has left nothing: no new password, nobody new, and the refresh token unused.
    assert not User.objects.filter(email=email).exists()
    assert not Tenant.objects.filter(slug="new-here").exists()
    assert ask(site, "POST", "auth/refresh/", refresh=refresh).status_code == 200
    opened = web.ask("GET", f"{site.url}/api/v1/accounts/", headers=key)
    assert opened.status_code == 200


def test_a_valkey_that_has_lost_its_last_second_opens_no_door(house: House) -> None:
    """Its file is that of a moment before the log-out, and says that nothing is missing."""
    given = {name: value for name, value in os.environ.items() if name != "REDIS_URL"}
    with TemporaryDirectory(prefix="bulkhead-valkey-") as folder:
        Path(folder).chmod(0o755)
        with (
            running(Path(folder) / "data", given=given) as servers,
            serve(REDIS_URL=servers.redis_url) as site,
        ):
            valkey = servers.started[0]
            token, ended = (log_in(site, house).json()["access"] for _ in range(2))
            assert ask(site, "GET", "accounts/", ended).status_code == 200
            files = (valkey.home / "appendonlydir").iterdir()
            before = {file: file.read_bytes() for file in files}
            assert ask(site, "POST", "auth/logout/", ended).status_code == 204
            assert ask(site, "GET", "accounts/", ended).json()["code"] == "session_ended"
            valkey.stop()
            for file, kept in before.items():
                file.write_bytes(kept)
            valkey.start()
            assert ask(site, "GET", "accounts/", ended).json()["code"] == "session_ended"
            assert ask(site, "GET", "accounts/", token).status_code == 200
