"""Requests too large, too deep, too many or not even HTTP: refused, and the process lives on."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from tests import web
from tests.attacks.test_escalation import open_order
from tests.attacks.wire import PROBLEM, Answer, bearer, call, send
from tests.cast import House, anywhere, build_house
from tests.web import Server

LIMIT = 1_048_576  # bytes
JSON = ("Content-Type", "application/json")


@pytest.fixture(scope="module")
def one() -> House:
    return build_house("starter")


@pytest.fixture(autouse=True)
def still_answers(site: Server, one: House) -> Iterator[None]:
    yield
    assert call(site, "GET", "accounts/", credential=bearer(one.alice)).status == 200
    assert site.process.poll() is None


def post(site: Server, one: House, body: bytes, *pairs: tuple[str, str]) -> Answer:
    who = ("Authorization", bearer(one.alice))
    return send(site, "POST", "/api/v1/accounts/", who, *(pairs or (JSON,)), body=body)


def padded(size: int) -> bytes:
    text = json.dumps({"name": "x", "padding": ""})
    return (text[:-2] + "x" * (size - len(text)) + '"}').encode()


def test_a_body_at_the_limit_is_read_and_one_beyond_is_not(site: Server, one: House) -> None:
    assert post(site, one, padded(LIMIT)).status == 201
    assert post(site, one, padded(LIMIT + 1)).told == (413, "too_large")
    named = ("X-Request-ID", "of-the-client")
    refused = post(site, one, padded(5 * LIMIT), JSON, named)
    assert refused.told == (413, "too_large")
    assert refused.headers["x-request-id"] == refused.json()["request_id"] == "of-the-client"


def test_a_stranger_is_told_so_before_the_body_is_sent(site: Server) -> None:
    """Who waits for all of it fills the disk with whatever anybody sends."""
    home = urlsplit(site.url)
    head = (
        f"POST /api/v1/auth/login/ HTTP/1.1\r\nHost: {home.netloc}\r\n"
        f"X-Forwarded-For: {anywhere()}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {100 * LIMIT}\r\n\r\n"
    )
    with socket.create_connection((home.hostname, home.port), timeout=5) as wire:
        wire.sendall(head.encode() + b" " * 2 * LIMIT)
        assert b" 413 " in wire.recv(100)


def test_a_body_without_a_length_ends_at_the_limit_too(site: Server, one: House) -> None:
    """What was sent before the refusal arrived is all that may have been stored."""

    def chunks() -> Iterator[bytes]:
        for _ in range(64):
            yield b" " * LIMIT
            sent.append(time.monotonic())

    sent: list[float] = []
    headers = {"Authorization": bearer(one.alice), "X-Forwarded-For": anywhere(), **dict([JSON])}
    try:
        url = f"{site.url}/api/v1/accounts/"
        answer = web.ask("POST", url, content=chunks(), headers=headers, timeout=20)
    except httpx.TransportError:  # closed while we were still talking
        pass
    else:
        assert answer.status_code == 413
    assert len(sent) < 32, "the whole of it was taken"


def chunked(site: Server, one: House, path: str, *parts: bytes) -> httpx.Response:
    headers = {"Authorization": bearer(one.alice), "X-Forwarded-For": anywhere(), **dict([JSON])}
    url = f"{site.url}/api/v1/{path}"
    return web.ask("POST", url, content=iter(parts), headers=headers, timeout=20)


def test_a_small_body_in_chunks_is_a_body(site: Server, one: House) -> None:
    made = chunked(site, one, "accounts/", b'{"na', b'me": ', b'"in chunks"}')
    assert made.status_code == 201, made.text


def test_a_body_in_chunks_does_not_cancel_more_than_it_says(site: Server) -> None:
    """Read as none at all, "cancel what this account has open" would mean every account."""
    own = build_house("starter")
    one, other = (account(site, own, name) for name in ("one", "other"))
    placed = open_order(site, own.alice, other)["id"]
    body = json.dumps({"account": one}).encode()
    chunked(site, own, "orders/cancel-all/", body)
    order = call(site, "GET", f"orders/{placed}/", credential=bearer(own.alice)).json()
    assert order["status"] == "accepted"


def account(site: Server, house: House, name: str) -> str:
    made = call(site, "POST", "accounts/", {"name": name}, credential=bearer(house.alice))
    return str(made.json()["id"])


BODIES: dict[str, bytes] = {
    "deep arrays": b"[" * 200_000,
    "deep objects": b'{"a":' * 50_000,
    "deep and closed": b'{"name":' + b"[" * 5000 + b"]" * 5000 + b"}",
    "nan": b'{"name": NaN}',
    "infinity": b'{"name": Infinity}',
    "minus infinity": b'{"name": -Infinity}',
    "1e999": b'{"name": 1e999}',
    "a number of a million digits": b'{"name": ' + b"9" * 1_000_000 + b"}",
    "invalid utf-8": b'{"name": "\xff\xfe"}',
    "overlong utf-8": b'{"name": "\xc0\xaf"}',
    "lone surrogate": rb'{"name": "\ud800"}',
    "nul": rb'{"name": "a\u0000b"}',
    "empty": b" ",
    "half": b'{"name": ',
    "twice": b'{"name": "a"}{"name": "b"}',
    "a list": b'[{"name": "a"}]',
    "a string": b'"name"',
    "null": b"null",
    "many keys": json.dumps({f"k{n}": n for n in range(50_000)}).encode(),
    "proto": b'{"__proto__": {"is_admin": true}, "__class__": 1, "name": null}',
}


@pytest.mark.parametrize("name", BODIES)
def test_what_cannot_be_read_is_refused(site: Server, one: House, name: str) -> None:
    answer = post(site, one, BODIES[name])
    assert 400 <= answer.status < 500, answer.text
    assert answer.headers["content-type"] == PROBLEM
    stranger = send(site, "POST", "/api/v1/auth/login/", JSON, body=BODIES[name])
    assert 400 <= stranger.status < 500, stranger.text
    assert stranger.headers["content-type"] == PROBLEM


def test_of_a_key_given_twice_one_value_is_checked_and_kept(site: Server, one: House) -> None:
    """No part of us reads the first while another reads the last."""
    body = b'{"name": "first", "name": "last", "user_id": "x", "is_default": false}'
    made = post(site, one, body)
    assert made.status in (201, 400)
    if made.status == 201:
        assert made.json()["name"] == "last"
    twice = b'{"email": "a@a.example", "email": ["x"], "password": "x", "password": {}}'
    assert send(site, "POST", "/api/v1/auth/login/", JSON, body=twice).status == 400


@pytest.mark.parametrize(
    "kind",
    [
        "text/plain",
        "application/xml",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
        "multipart/form-data; boundary=x",
        "application/x-yaml",
        "application/octet-stream",
        "image/svg+xml",
        "application/json/../xml",
        "x",
        "/",
        ";;;",
        "a" * 8000,
        "application/jsonp",
    ],
)
def test_no_other_kind_of_body_is_read(site: Server, one: House, kind: str) -> None:
    answer = post(site, one, b'{"name": "x"}', ("Content-Type", kind))
    assert answer.status in (400, 415), answer.text
    assert answer.headers["content-type"] == PROBLEM


@pytest.mark.parametrize("charset", ["utf-7", "utf-16", "idna", "zlib", "rot13", "x" * 1000])
def test_no_charset_changes_what_is_read(site: Server, one: House, charset: str) -> None:
    kind = ("Content-Type", f"application/json; charset={charset}")
    name = f"+ADw-{charset[:9]}+AD4-"
    answer = post(site, one, json.dumps({"name": name}).encode(), kind)
    assert answer.status in (201, 400, 415), answer.text
    if answer.status == 201:
        assert answer.json()["name"] == name


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "x"])
def test_a_compressed_body_is_not_unpacked(site: Server, one: House, coding: str) -> None:
    answer = post(site, one, b"\x1f\x8b\x08\0\0", JSON, ("Content-Encoding", coding))
    assert answer.status in (400, 415)


def get(site: Server, one: House, target: str, *pairs: tuple[str, str]) -> Answer:
    return send(site, "GET", target, ("Authorization", bearer(one.alice)), *pairs)


def test_ten_thousand_parameters_are_refused(site: Server, one: House) -> None:
    query = "&".join(f"a{n}=1" for n in range(10_000))
    for path in ("/api/v1/accounts/", "/api/v1/orders/", "/api/v1/auth/me/"):
        answer = get(site, one, f"{path}?{query[:60_000]}")
        assert answer.status == 200 or 400 <= answer.status < 500, answer.text


def test_a_long_path_is_missing_or_refused(site: Server, one: House) -> None:
    for target in (f"/{'x' * 60_000}", f"/api/v1/accounts/{'9' * 60_000}/", "/t/" + "a" * 60_000):
        assert 400 <= get(site, one, target).status < 500


@pytest.mark.parametrize("name", ["User-Agent", "Cookie", "Accept", "X-Request-ID", "If-Match"])
@pytest.mark.parametrize("value", ["x" * 60_000, "\xff\xfe", "a\tb", "=;,\"'<>", "q=1;" * 5000])
def test_no_header_breaks_the_process(site: Server, one: House, name: str, value: str) -> None:
    answer = get(site, one, "/api/v1/accounts/", (name, value))
    assert answer.status == 200 or 400 <= answer.status < 500, answer.text


def test_a_thousand_headers_are_borne(site: Server, one: House) -> None:
    pairs = [(f"X-A{n}", "1") for n in range(1000)]
    assert get(site, one, "/api/v1/accounts/", *pairs).status < 500


def raw(site: Server, data: bytes) -> bytes:
    home = urlsplit(site.url)
    with socket.create_connection((home.hostname, home.port), timeout=10) as wire:
        wire.sendall(data)
        wire.settimeout(2)
        try:
            return wire.recv(4096)
        except (TimeoutError, ConnectionError):
            return b""


NOT_HTTP: dict[str, bytes] = {
    "nothing": b"\r\n\r\n",
    "binary": bytes(range(256)),
    "tls": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    "no version": b"GET /api/v1/accounts/\r\n\r\n",
    "version 9": b"GET / HTTP/9.9\r\nHost: localhost\r\n\r\n",
    "no host": b"GET /api/v1/accounts/ HTTP/1.1\r\n\r\n",
    "length and chunks": b"POST /api/v1/auth/login/ HTTP/1.1\r\nHost: localhost\r\n"
    b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /x HTTP/1.1\r\n\r\n",
    "two lengths": b"POST /api/v1/auth/login/ HTTP/1.1\r\nHost: localhost\r\n"
    b"Content-Length: 4\r\nContent-Length: 5\r\n\r\n{}  ",
    "negative length": b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
    "length of letters": b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: abc\r\n\r\n",
    "no chunk": b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    "unknown coding": b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: x\r\n\r\n{}",
    "folded header": b"GET / HTTP/1.1\r\nHost: localhost\r\nX: a\r\n b\r\n\r\n",
    "nul in a header": b"GET / HTTP/1.1\r\nHost: localhost\r\nX: a\0b\r\n\r\n",
    "connect": b"CONNECT 127.0.0.1:22 HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "trace": b"TRACE / HTTP/1.1\r\nHost: localhost\r\nX-Secret: a canary\r\n\r\n",
    "long method": b"A" * 5000 + b" / HTTP/1.1\r\nHost: localhost\r\n\r\n",
}


@pytest.mark.parametrize("name", NOT_HTTP)
def test_what_is_no_request_gets_no_answer_or_a_refusal(site: Server, name: str) -> None:
    got = raw(site, NOT_HTTP[name])
    assert b"canary" not in got
    assert not got or got.split()[1][:1] == b"4", got


@pytest.mark.parametrize("name", ["binary", "length and chunks", "long method"])
def test_what_cannot_be_read_gets_a_problem_document(site: Server, name: str) -> None:
    head, _, body = raw(site, NOT_HTTP[name]).partition(b"\r\n\r\n")
    headers = dict(line.split(b": ", 1) for line in head.splitlines()[1:])
    assert headers[b"Content-Type"] == PROBLEM.encode()
    told = json.loads(body)
    assert (told["status"], told["code"]) == (400, "unreadable")
    assert headers[b"X-Request-ID"].decode() == told["request_id"]


@pytest.mark.parametrize("method", ["PUT", "PROPFIND", "TRACE", "X" * 30, "get", "HEAD"])
def test_a_method_that_nobody_serves_is_refused(site: Server, one: House, method: str) -> None:
    who: Any = ("Authorization", bearer(one.alice))
    answer = send(site, method, "/api/v1/accounts/", who)
    assert answer.status < 500
    assert method == "HEAD" or answer.status >= 400
