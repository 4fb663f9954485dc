"""Pages of other origins: none gets leave by itself, and a named one gets it for the API alone."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import Client
from pytest_django.fixtures import Settings

from config.settings import web as settings_of_web
from tenants import door
from tests import web
from tests.attacks.matrix import operations
from tests.cast import House, anywhere
from tests.web import serve

pytestmark = pytest.mark.by_turns

APP = "https://app.example.com"
EVIL = "https://evil.example"
ACCOUNTS = "/api/v1/accounts/"
WANTED = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "if-match"}


@pytest.fixture
def named(settings: Settings) -> None:
    settings.CORS_ALLOWED_ORIGINS = [APP]


def ask(path: str, origin: str, method: str = "GET", **headers: str) -> Any:
    client = Client(raise_request_exception=False, REMOTE_ADDR=anywhere())
    return client.generic(method, path, headers={"Origin": origin, **headers})


def preflight(path: str, origin: str) -> Any:
    return ask(path, origin, "OPTIONS", **WANTED)


def leave(answer: Any) -> dict[str, str]:
    """What the answer says to a browser about other origins."""
    return {k: v for k, v in answer.headers.items() if k.lower().startswith("access-control-")}


@pytest.mark.parametrize("path", [ACCOUNTS, "/api/v1/auth/login/", "/t/nobody/api/v1/x/", "/"])
def test_without_the_setting_nobody_gets_leave(path: str) -> None:
    for origin in (APP, EVIL, "null"):
        for answer in (ask(path, origin), preflight(path, origin)):
            assert leave(answer) == {}


def test_a_named_origin_may_read_the_answer_and_its_headers(named: None, house: House) -> None:
    answer = ask(ACCOUNTS, APP, **house.alice.headers)
    assert answer.status_code == 200
    exposed = leave(answer).pop("access-control-expose-headers").split(", ")
    assert leave(answer) == {
        "access-control-allow-origin": APP,
        "access-control-expose-headers": ", ".join(exposed),
    }
    assert {"RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset"} <= set(exposed)
    assert {"X-Request-ID", "Retry-After", "ETag"} <= set(exposed)
    assert "origin" in answer["Vary"].lower()


def test_a_refusal_can_be_read_there_too(named: None) -> None:
    for path, status in ((ACCOUNTS, 401), ("/t/nobody/api/v1/accounts/", 404)):
        answer = ask(path, APP)
        assert (answer.status_code, leave(answer)["access-control-allow-origin"]) == (status, APP)


@pytest.mark.parametrize("prefix", ["", "/t/{slug}", "/t/nobody"])
def test_a_preflight_is_answered_before_any_door(
    named: None, house: House, monkeypatch: pytest.MonkeyPatch, prefix: str
) -> None:
    """Neither counted nor looked up: it says the same whether there is such a tenant."""
    monkeypatch.setattr(door, "ask", None)
    answer = preflight(prefix.format(slug=house.tenant.slug) + ACCOUNTS, APP)
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer["X-Request-ID"]
    allowed = leave(answer)
    assert allowed["access-control-allow-origin"] == APP
    answered = {operation.method for operation in operations()}
    assert answered <= set(allowed["access-control-allow-methods"].split(", "))
    assert {"authorization", "content-type", "idempotency-key", "if-match"} <= set(
        allowed["access-control-allow-headers"].split(", ")
    )
    assert "access-control-allow-credentials" not in allowed


@pytest.mark.parametrize(
    "origin",
    [
        EVIL,
        "null",
        "http://app.example.com",
        "https://app.example.com.evil.example",
        "https://evil.example/https://app.example.com",
        "https://app.example.com:444",
        "https://APP.example.com@evil.example",
        "[",
    ],
)
def test_another_origin_gets_none(named: None, house: House, origin: str) -> None:
    assert leave(ask(ACCOUNTS, origin, **house.alice.headers)) == {}
    assert leave(preflight(ACCOUNTS, origin)) == {}


@pytest.mark.parametrize(
    "path", ["/admin/", "/admin/login/", "/healthz", "/t/x/admin/api/v1/", "/"]
)
def test_what_is_not_the_api_gives_leave_to_nobody(named: None, path: str) -> None:
    for answer in (ask(path, APP), preflight(path, APP)):
        assert leave(answer) == {}


@pytest.mark.parametrize(
    "wrong", ["*", "null", "app.example.com", f"{APP}/", f"{APP}/x", "https://"]
)
def test_a_setting_that_is_no_origin_stops_the_start(wrong: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="CORS_ALLOWED_ORIGINS"):
        settings_of_web._origins([APP, wrong])


def test_a_real_server_goes_by_the_variable(house: House) -> None:
    with serve(CORS_ALLOWED_ORIGINS=f"{APP},http://localhost:5173") as server:
        url = f"{server.url}/t/{house.tenant.slug}{ACCOUNTS}"
        for origin in (APP, "http://localhost:5173"):
            asked = web.ask("OPTIONS", url, headers={"Origin": origin, **WANTED})
            assert (asked.status_code, leave(asked)["access-control-allow-origin"]) == (200, origin)
            answer = web.ask("GET", url, headers={"Origin": origin, **house.alice.headers})
            assert (answer.status_code, answer.json()["results"]) == (200, [])
            assert leave(answer)["access-control-allow-origin"] == origin
        assert leave(web.ask("OPTIONS", url, headers={"Origin": EVIL, **WANTED})) == {}
