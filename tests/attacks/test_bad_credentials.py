"""Guesses at credentials: each takes from its address, by whichever way, and costs no query."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from accounts.tokens import keys
from tests.accounts.test_api_keys import issued
from tests.attacks.wire import Answer, bearer, call
from tests.cast import House, anywhere
from tests.web import Server, serve

ROOM = 3  # requests a minute; one comes back every twenty seconds
NONSENSE = "a.b.c"
CREDENTIALS = {
    "token": f"Bearer {NONSENSE}",
    "key": f"Api-Key {keys.new_secret()}",
    "no key": "Api-Key bk_x",
    "nothing known": "Basic abc",
}


@pytest.fixture(scope="module")
def narrow() -> Iterator[Server]:
    """The platform with little room for each address."""
    with serve(TRUSTED_PROXIES="1", ADDRESS_REQUESTS_PER_MINUTE=str(ROOM)) as server:
        yield server


def by_socket(server: Server, token: str, *, at: str) -> int:
    """The code that the socket is closed with; 0 for one that is let in."""
    offered, came_from = [Subprotocol(f"bulkhead.token.{token}")], {"X-Forwarded-For": at}
    url = f"{server.url.replace('http', 'ws')}/ws/v1/stream/"
    with connect(url, subprotocols=offered, additional_headers=came_from) as socket:
        try:
            assert "authenticated" in str(socket.recv(timeout=20))
        except ConnectionClosed as closed:
            assert closed.rcvd is not None
            return closed.rcvd.code
    return 0


def without_token(server: Server, *, at: str) -> ClientConnection:
    """A socket that has not said who it is. Raises InvalidStatus where it is not accepted."""
    url, came_from = f"{server.url.replace('http', 'ws')}/ws/v1/stream/", {"X-Forwarded-For": at}
    return connect(url, additional_headers=came_from)


def by_message(server: Server, token: str, *, at: str) -> int:
    """The code that the socket is closed with, or the status of one that is not accepted."""
    try:
        with without_token(server, at=at) as socket:
            socket.send(f'{{"type": "authenticate", "token": "{token}"}}')
            with pytest.raises(ConnectionClosed) as closed:
                socket.recv(timeout=20)
    except InvalidStatus as refused:
        return refused.response.status_code
    assert closed.value.rcvd is not None
    return closed.value.rcvd.code


def by_http(server: Server, credential: str, *, at: str) -> Answer:
    return call(server, "GET", "accounts/", credential=credential, at=at)


@pytest.mark.parametrize(("way", "full"), [(by_socket, 1013), (by_message, 429)])
def test_bad_tokens_by_socket_take_from_the_address(
    narrow: Server, house: House, way: Callable[..., int], full: int
) -> None:
    attacker = anywhere()
    codes = [way(narrow, NONSENSE, at=attacker) for _ in range(2 * ROOM)]
    assert codes[:ROOM] == [4401] * ROOM
    assert codes[-1] == full
    refused = by_http(narrow, CREDENTIALS["token"], at=attacker)
    assert refused.told == (429, "too_many_requests")
    assert 1 <= int(refused.headers["retry-after"]) <= 60 / ROOM
    assert by_socket(narrow, house.alice.token, at=attacker) == 1013
    assert by_socket(narrow, house.alice.token, at=anywhere()) == 0


def test_sockets_without_a_token_take_from_the_address(narrow: Server, house: House) -> None:
    """Each is open for some seconds, whoever it is; a token in the first message pays no more."""
    attacker, kept, refused = anywhere(), [], []
    with ExitStack() as open_ones:
        for _ in range(2 * ROOM):
            try:
                kept.append(open_ones.enter_context(without_token(narrow, at=attacker)))
            except InvalidStatus as fault:
                refused.append(fault.response)
        assert ROOM <= len(kept) < 2 * ROOM
        told = by_http(narrow, bearer(house.alice), at=attacker).told
        kept[0].send(json.dumps({"type": "authenticate", "token": house.alice.token}))
        assert "authenticated" in str(kept[0].recv(timeout=20))
    assert told == (429, "too_many_requests")
    for answer in refused:
        assert (answer.status_code, json.loads(answer.body)["code"]) == told
        assert 1 <= int(answer.headers["retry-after"]) <= 60 / ROOM


@pytest.mark.parametrize("kind", CREDENTIALS)
def test_bad_credentials_by_http_take_from_the_address(
    narrow: Server, house: House, kind: str
) -> None:
    attacker = anywhere()
    answers = [by_http(narrow, CREDENTIALS[kind], at=attacker) for _ in range(2 * ROOM)]
    assert {answer.told for answer in answers[:ROOM]} == {(401, "invalid_credential")}
    assert {int(answer.headers["ratelimit-limit"]) for answer in answers} == {ROOM}
    assert answers[-1].told == (429, "too_many_requests")
    assert 1 <= int(answers[-1].headers["retry-after"]) <= 60 / ROOM
    assert by_socket(narrow, NONSENSE, at=attacker) == 1013
    assert by_http(narrow, bearer(house.alice), at=anywhere()).status == 200


def test_an_address_without_room_is_refused_before_any_query(
    house: House, settings: object
) -> None:
    settings.ADDRESS_REQUESTS_PER_MINUTE = 1
    good = f"Api-Key {issued(house.alice)['key']}"
    attacker = Client(raise_request_exception=False, REMOTE_ADDR=anywhere())
    for status in (401, 429):
        headers = {"Authorization": CREDENTIALS["token"]}
        assert attacker.get("/api/v1/accounts/", headers=headers).status_code == status
    tried = [
        ("/api/v1/accounts/", {"Authorization": f"Api-Key {keys.new_secret()}"}),
        ("/api/v1/accounts/", {"Authorization": good}),
        (f"/t/x{uuid4().hex[:10]}/api/v1/accounts/", {}),
        ("/api/v1/accounts/", {"Host": f"x{uuid4().hex[:10]}.localhost"}),
        ("/api/v1/accounts/", {"Host": f"x{uuid4().hex[:10]}.example"}),
    ]
    with CaptureQueriesContext(connection) as asked:
        told = [attacker.get(path, headers=headers).status_code for path, headers in tried]
    assert told == [429] * len(tried)
    assert [query["sql"] for query in asked] == []


def test_what_has_not_the_form_of_a_key_is_not_looked_up() -> None:
    secret = keys.new_secret()
    for wrong in ("", "x", secret[:-1], secret + "x", secret.upper(), f"{secret[:-1]}é"):
        stranger = Client(raise_request_exception=False, REMOTE_ADDR=anywhere())
        headers = {"Authorization": f"Api-Key {wrong}"}
        with CaptureQueriesContext(connection) as asked:
            assert stranger.get("/api/v1/accounts/", headers=headers).status_code == 401
        assert len(asked) == 0, wrong
