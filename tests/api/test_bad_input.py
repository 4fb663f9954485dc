"""A table of hostile requests: none is a 500, and every refusal is a problem document."""

from __future__ import annotations

import json
import socket
from base64 import b64encode
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
from django.test import Client

from tests.cast import Person
from tests.isolation.world import Trader, World, build_world
from tests.web import Server

pytestmark = pytest.mark.by_turns

PROBLEM = "application/problem+json"
SURROGATE = r"\ud800"  # as JSON writes it
# What is not JSON, or not an object: each is refused by every route that reads a body.
BODIES = {
    "deep arrays": b"[" * 100_000,
    "deep objects": b'{"a":' * 20_000,
    "deep and closed": b"[" * 400 + b"]" * 400,
    "deep in a field": b'{"name":' + b"[" * 90_000,
    "nan": b'{"name": NaN}',
    "infinity": b'{"amount": -Infinity}',
    "1e400": b'{"name": 1e400}',
    "not utf-8": b'{"name": "\xff"}',
    "utf-16": '{"name": "a"}'.encode("utf-16"),
    "byte order mark": b"\xef\xbb\xbf{}",
    "surrogate": b'{"name": "%s"}' % SURROGATE.encode(),
    "surrogate in a key": b'{"%s": 1}' % SURROGATE.encode(),
    "surrogate inside": b'{"a": [{"b": "%s"}]}' % SURROGATE.encode(),
    "number without end": b'{"amount": ' + b"9" * 5000 + b"}",
    "half": b'{"name": "a"',
    "nul": b"\0",
    "array": b"[]",
    "array of objects": b'[{"name": "a"}]',
    "string": b'"a"',
    "number": b"1",
    "null": b"null",
}
# Values that parse: some field takes them, none may break on them.
VALUES: dict[str, Any] = {
    "nul": "a\0b",
    "controls": "a\r\n\x1b[31m\x85\u2028b",
    "right to left": "\u202etxt.exe\u202c",
    "zero width": "a\u200bb\u200d\ufeff",
    "only zero width": "\u200b",
    "a pair of surrogates": "\U0001f4b8",
    "long": "x" * 100_000,
    "empty": "",
    "blank": "  ",
    "1e400": "1e400",
    "1e1000000000": "1e1000000000",
    "1e-1000000000": "1e-1000000000",
    "0e1000000000": "0e1000000000",
    "1e beyond decimal": "1e99999999999999999999",
    "minus zero": "-0",
    "nan": "NaN",
    "signalling": "sNaN",
    "other digits": "١٢",
    "underscores": "1_000",
    "many digits": "9" * 5000,
    "rounds up": "99999999999999999999.9999999999999999999",
    "huge integer": 10**4000,
    "64 bits and one": 2**64,
    "negative": -1,
    "float": 1e308,
    "true": True,
    "null": None,
    "list": [],
    "object": {},
    "nested": {"a": [{"b": ["c"]}]},
    "first day, east": "0001-01-01T00:00:00+23:59",
    "last day, west": "9999-12-31T23:59:59-23:59",
    "year 0": "0000-01-01T00:00:00Z",
    "no such day": "2024-02-30T00:00:00Z",
    "no offset": "2024-01-01T00:00:00",
    "uuid of zeros": "00000000-0000-0000-0000-000000000000",
}
LISTS = ("accounts", "orders", "fills", "positions", "instruments")
QUERIES = {
    "long": "x=" + "y" * 10_000,
    "long filter": "instrument=" + "y" * 10_000,
    "many": "&".join(f"a{n}=1" for n in range(1500)),
    "nul": "account=%00&instrument=%00&side=%00&status=%00&client_order_id=%00&quote=%00",
    "not utf-8": "status=%ff&instrument=%c3%28&quote=%ff",
    "surrogate": "instrument=%ed%a0%80&quote=%ed%a0%80",
    "unknown values": "account=x&order=x&side=up&type=x&status=x&kind=x&open=x&tradable=x",
    "unknown names": "tenant_id=x&user_id=x&account__user_id=x&id=x&format=xml",
    "twice": "side=buy&side=sell&cursor=&cursor=",
    "ordering": "ordering=__class__",
    "ordering nul": "ordering=%00",
    "page size 0": "page_size=0",
    "page size -1": "page_size=-1",
    "page size 9999": "page_size=9999",
    "page size abc": "page_size=abc",
    "page size without end": "page_size=" + "9" * 5000,
    "empty cursor": "cursor=",
    "cursor of letters": "cursor=ü",
}
INVALID_CURSORS = [
    "p=%00",
    "r=x",
    "o=-1",
    "o=" + "9" * 5000,
    "\xff",
]
NO_TIMES = [
    "p=abc",
    "p=",
    "p=infinity",
    "p=-infinity",
    "p=now",
    "p=NaN",
    "p=1e400",
    "p=2024-01-01",
    "p=2024-01-01T00:00:00",
    "p=2024-02-30T00:00:00%2B00:00",
    "p=0000-01-01T00:00:00%2B00:00",
    "p=0001-01-01T00:00:00%2B23:59",
    "p=9999-12-31T23:59:59-23:59",
    "p=10000-01-01T00:00:00%2B00:00",
    "p=4714-01-01 BC",
]


@pytest.fixture(scope="module")
def world() -> World:
    return build_world()


@pytest.fixture(params=[0, 3], ids=["starter", "enterprise"])
def trader(request: pytest.FixtureRequest, world: World) -> Trader:
    return world.traders[request.param]


def writes(trader: Trader) -> list[tuple[str, str]]:
    """Every route that reads a body."""
    account, position = trader.ids["Account"], trader.ids["Position"]
    return [
        ("POST", "auth/login/"),
        ("POST", "auth/refresh/"),
        ("POST", "accounts/"),
        ("PATCH", f"accounts/{account}/"),
        ("POST", f"accounts/{account}/deposit/"),
        ("POST", f"accounts/{account}/withdraw/"),
        ("POST", "orders/"),
        ("POST", "orders/cancel-all/"),
        ("PATCH", f"positions/{position}/notes/"),
    ]


def valid(trader: Trader, market: str, path: str) -> dict[str, Any]:
    """A body that the route would take, or take but for one field; every field it knows."""
    money = {"currency": "USD", "amount": "1"}
    bodies: dict[str, dict[str, Any]] = {
        "login": {"email": trader.person.email, "password": "no", "tenant": "none"},
        "refresh": {"refresh": "none"},
        "accounts": {"name": "n", "kind": "paper", "currency": "USD", "cost_method": "average"},
        "deposit": money,
        "withdraw": money,
        "cancel-all": {"account": "00000000-0000-0000-0000-000000000000"},
        "notes": {"notes": "n"},
        "orders": {
            "account": trader.ids["Account"],
            "instrument": market,
            "side": "buy",
            "type": "limit",
            "quantity": "0.001",
            "limit_price": "1",
            "time_in_force": "gtd",
            "expires_at": "2999-01-01T00:00:00Z",
            "post_only": False,
            "client_order_id": "c",
        },
    }
    last = path.strip("/").rpartition("/")[2]
    return bodies.get(last) or {"name": "n", "is_default": False}


def sane(answer: Any, told: Any = "") -> Any:
    """Not a 500; a problem document when it is a refusal."""
    assert answer.status_code < 500, (told, answer.status_code, answer.content[:300])
    if answer.status_code >= 400:
        assert answer["Content-Type"] == PROBLEM, told
        assert json.loads(answer.content)["status"] == answer.status_code, told
    return answer


def cursor(tokens: str) -> str:
    return f"cursor={quote(b64encode(tokens.encode('latin-1')).decode())}"


@pytest.mark.parametrize("name", BODIES)
def test_a_body_that_is_no_object_is_refused_everywhere(trader: Trader, name: str) -> None:
    for method, path in writes(trader):
        answer = sane(trader.person.request(method, path, BODIES[name]), (method, path))
        assert answer.status_code == 400, (method, path)


@pytest.mark.parametrize("path", ["login", "refresh"])
@pytest.mark.parametrize("name", BODIES)
def test_nobody_in_particular_is_refused_as_well(name: str, path: str) -> None:
    client = Client(raise_request_exception=False)
    answer = client.post(f"/api/v1/auth/{path}/", BODIES[name], content_type="application/json")
    assert sane(answer).status_code == 400


@pytest.mark.parametrize("name", VALUES)
def test_every_field_bears_every_value(trader: Trader, world: World, name: str) -> None:
    for method, path in writes(trader):
        body = valid(trader, world.market.symbol, path)
        for field in body:
            hostile = {**body, field: VALUES[name]}
            sane(trader.person.request(method, path, hostile), (method, path, field))


@pytest.mark.parametrize("name", VALUES)
def test_the_digest_of_an_idempotent_request_bears_every_value(trader: Trader, name: str) -> None:
    body = {"name": "n", "more": VALUES[name]}
    answer = trader.person.post("accounts/", body, Idempotency_Key=f"bad-{name[:100]}")
    assert sane(answer).status_code in {201, 409, 422}


@pytest.mark.parametrize("field", ["side", "type", "name", "client_order_id", "email"])
def test_a_lone_surrogate_is_refused_before_anyone_repeats_it(house: Any, field: str) -> None:
    body = f'{{"{field}": "{SURROGATE}"}}'
    for path in ("orders/", "accounts/", "auth/login/"):
        answer = sane(house.alice.request("POST", path, body))
        assert (answer.status_code, answer.json()["code"]) == (400, "parse_error")


@pytest.mark.parametrize(
    "kind",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
        "multipart/form-data; boundary=\u00fc",
        "application/json; charset=utf-7",
        "application/json; charset=nonsense",
        "*/*",
        ";",
        "a" * 5000,
    ],
)
def test_a_strange_content_type_is_refused_or_read_as_utf_8(trader: Trader, kind: str) -> None:
    for method, path in writes(trader):
        sane(trader.person.request(method, path, b'{"name": "a"}', Content_Type=kind), path)
    for path in LISTS:
        sane(trader.person.get(f"{path}/?status=%41&quote=%41", Content_Type=kind), path)


def test_an_empty_body_is_an_empty_object(trader: Trader) -> None:
    for method, path in writes(trader):
        expected = (
            200 if path in {"orders/cancel-all/", f"accounts/{trader.ids['Account']}/"} else 400
        )
        answer = sane(trader.person.request(method, path, b""), path)
        assert answer.status_code == expected, path


def test_of_two_keys_of_one_name_the_last_counts(house: Any) -> None:
    answer = house.alice.request("POST", "accounts/", '{"name": "first", "name": "last"}')
    assert (answer.status_code, answer.json()["name"]) == (201, "last")


def test_a_body_beyond_the_limit_is_too_large(house: Any) -> None:
    answer = house.alice.post("accounts/", {"name": "x" * 1_100_000})
    assert sane(answer).status_code == 413


@pytest.mark.parametrize("key", ["k" * 129, "k" * 100_000, "\u202e", "a\tb", "ключ", "\x7f"])
def test_a_key_nobody_can_keep_is_refused(house: Any, key: str) -> None:
    answer = sane(house.alice.post("accounts/", {"name": "a"}, Idempotency_Key=key))
    assert answer.status_code in {201, 400}
    assert len(key) <= 128 or answer.status_code == 400


@pytest.mark.parametrize("value", ["x" * 10_000, "\x00", '"', "W/*", "\xe2\x80\xae"])
def test_headers_bear_anything(trader: Trader, value: str) -> None:
    path = f"accounts/{trader.ids['Account']}/"
    person = trader.person
    for name in ("If_Match", "X_Request_ID", "Accept", "Accept_Language", "Host", "Cookie"):
        sane(person.request("PATCH", path, {"is_default": False}, **{name: value}), name)
    sane(person.get("orders/", Authorization=f"Bearer {value}"))
    deep = b64encode(b"[" * 30_000).decode()
    sane(person.get("orders/", Authorization=f"Bearer {deep}.{deep}.{deep}"))


@pytest.mark.parametrize("name", QUERIES)
def test_every_list_bears_every_query(trader: Trader, world: World, name: str) -> None:
    for path in (*LISTS, candles(world), "portfolio"):
        answer = sane(trader.person.get(f"{path}/?{QUERIES[name]}"), path)
        if name.startswith("page size") and path != "portfolio":
            is_a_size = name in ("page size 9999", "page size without end")
            assert answer.status_code == (200 if is_a_size else 400)
            assert len(answer.json().get("results", [])) <= 1000


@pytest.mark.parametrize("name", VALUES)
def test_every_filter_bears_every_value(trader: Trader, world: World, name: str) -> None:
    value = quote(str(VALUES[name])[:5000])
    names = ("account", "instrument", "client_order_id", "side", "open", "tradable", "ordering")
    for path in LISTS:
        for filtered in (*names, "page_size", "cursor", "order", "quote"):
            sane(trader.person.get(f"{path}/?{filtered}={value}"), (path, filtered))
    for bound in ("start", "end", "timeframe"):
        sane(trader.person.get(f"{candles(world)}/?{bound}={value}"), bound)


@pytest.mark.parametrize("tokens", INVALID_CURSORS)
def test_a_cursor_of_another_making_is_refused(trader: Trader, world: World, tokens: str) -> None:
    for path in (*LISTS, candles(world), "accounts/?ordering=name"):
        refuses(trader.person, path, tokens)


@pytest.mark.parametrize("tokens", NO_TIMES)
def test_a_cursor_into_no_time_is_refused(trader: Trader, world: World, tokens: str) -> None:
    for path in ("accounts", "orders", "fills", "positions", candles(world)):
        for turned in (tokens, f"r=1&{tokens}"):
            refuses(trader.person, path, turned)
    sane(trader.person.get(f"instruments/?{cursor(tokens)}"))


def refuses(person: Person, path: str, tokens: str) -> None:
    joined = f"{path}&" if "?" in path else f"{path}/?"
    answer = sane(person.get(f"{joined}{cursor(tokens)}"), (path, tokens))
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid"), (path, tokens)
    assert answer.json()["detail"] == "The cursor is not one of this list's."


def candles(world: World) -> str:
    return f"instruments/{world.market.symbol.replace('/', '-')}/candles"


@pytest.mark.parametrize(
    "path", ["%00", "%0a", "%ff", "%ed%a0%80", "..%2f", "x" * 5000, "%E2%80%AE"]
)
def test_a_path_to_nowhere_is_missing(trader: Trader, path: str) -> None:
    for room in ("orders", "accounts", "positions", "instruments"):
        answer = sane(trader.person.get(f"{room}/{path}/"), room)
        assert answer.status_code == 404


RAW = {
    "long query": b"GET /api/v1/orders/?x=" + b"y" * 10_000 + b" HTTP/1.1\r\n",
    "bytes in the query": b"GET /api/v1/orders/?status=\xff\xfe HTTP/1.1\r\n",
    "bytes in the path": b"GET /api/v1/orders/\xff\xfe/ HTTP/1.1\r\n",
    "lines in the path": b"GET /api/v1/x%0aI%20y%0d%0a/ HTTP/1.1\r\n",
    "bytes in a header": b"GET /api/v1/orders/ HTTP/1.1\r\nIf-Match: \xff\xfe\r\n",
    "bytes in a key": b"GET /api/v1/orders/ HTTP/1.1\r\nIdempotency-Key: \xff\xfe\r\n",
    "a length that is none": b"POST /api/v1/auth/login/ HTTP/1.1\r\nContent-Length: x\r\n",
    "two lengths": b"POST /api/v1/x/ HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n",
    "another method": b"BREW /api/v1/orders/ HTTP/1.1\r\n",
    "bytes for a type": b"POST /api/v1/auth/login/ HTTP/1.1\r\nContent-Type: \xff\r\n",
}
# Codecs of Python's that are no charsets; the in-process client stumbles over them itself.
for codec in ("bz2", "idna", "undefined"):
    kind = f"Content-Type: application/json; charset={codec}\r\n"
    RAW[f"{codec} query"] = f"GET /api/v1/orders/?status=%41 HTTP/1.1\r\n{kind}".encode()
    RAW[f"{codec} body"] = f"POST /api/v1/accounts/ HTTP/1.1\r\n{kind}".encode()


@pytest.mark.parametrize("name", RAW)
def test_raw_bytes_get_an_answer_below_500(server: Server, world: World, name: str) -> None:
    token = world.traders[0].person.headers["Authorization"]
    tail = f"Host: 127.0.0.1\r\nAuthorization: {token}\r\nConnection: close\r\n\r\n".encode()
    body = b"" if b"Content-Length" in RAW[name] or b"POST" not in RAW[name] else b"{}"
    length = f"Content-Length: {len(body)}\r\n".encode() if body else b""
    status, head = spoken(server, RAW[name] + length + tail + body)
    assert status < 500
    # What is no HTTP is the server's own to refuse, in its own words.
    assert status < 400 or PROBLEM in head or status == 400


def test_a_deep_body_through_the_real_server_is_refused(server: Server) -> None:
    body = b"[" * 100_000
    head = f"Host: 127.0.0.1\r\nContent-Length: {len(body)}\r\nConnection: close\r\n"
    head += "Content-Type: application/json\r\n\r\n"
    request = b"POST /api/v1/auth/login/ HTTP/1.1\r\n" + head.encode() + body
    status, answered = spoken(server, request)
    assert (status, PROBLEM in answered) == (400, True)


def spoken(server: Server, request: bytes) -> tuple[int, str]:
    """The status and the head of the answer to these very bytes."""
    place = urlsplit(server.url)
    with socket.create_connection((str(place.hostname), int(place.port or 0)), 20) as client:
        client.sendall(request)
        answer = b""
        while part := client.recv(65_536):
            answer += part
    head = answer.partition(b"\r\n\r\n")[0].decode("latin-1")
    return int(head.split(" ", 2)[1]), head.lower()
