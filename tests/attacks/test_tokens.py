"""Access tokens: forged, carried to another tenant, or brought by a way that is none."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from accounts.access.roles import Role
from tests.attacks.forgery import claims_of, forgeries, odd_claims, with_claims, with_header
from tests.attacks.wire import bearer, call, host, prefix, stepped_up
from tests.cast import House, build_house
from tests.web import Server

REFUSED = (401, "invalid_credential")
MISMATCH = (403, "tenant_mismatch")


@pytest.fixture(scope="module")
def one() -> House:
    return build_house("starter")


def test_a_token_made_by_hand_as_the_platform_makes_it_is_good(site: Server, one: House) -> None:
    """Without this, a mistake of the forger would pass for a wall."""
    made = with_header(claims_of(one.alice))
    assert call(site, "GET", "accounts/", credential=f"Bearer {made}").status == 200


@pytest.mark.parametrize("name", sorted(forgeries({})))
def test_a_forged_token_is_refused(site: Server, one: House, name: str) -> None:
    token = forgeries(claims_of(one.alice))[name]
    assert call(site, "GET", "accounts/", credential=f"Bearer {token}").told == REFUSED


def test_a_token_with_odd_claims_is_refused_even_when_well_signed(site: Server, one: House) -> None:
    told = {
        name: call(site, "GET", "accounts/", credential=f"Bearer {token}").status
        for name, token in odd_claims(claims_of(one.alice)).items()
    }
    assert {name: status for name, status in told.items() if status != 401} == {}


@pytest.mark.parametrize("odd", ["yes", 1, [True], {"a": 1}])
def test_only_true_is_true_in_a_token(site: Server, one: House, odd: Any) -> None:
    claims = with_claims(claims_of(one.vera), whole=odd, second=odd)
    me = call(site, "GET", "auth/me/", credential=f"Bearer {claims}")
    assert me.json()["has_second_factor"] is False
    one.alice.post("accounts/", {"name": "hers"})
    seen = call(site, "GET", "accounts/", credential=f"Bearer {claims}").json()["results"]
    assert seen == []


@pytest.mark.parametrize("odd", ["soon", [], {}, float("inf"), float("nan"), -1, 10**30])
def test_an_odd_time_of_proof_proves_nothing(site: Server, one: House, odd: Any) -> None:
    token = with_claims(claims_of(one.alice), stepped=odd)
    body = {"name": "bot", "scope": "read"}
    answer = call(site, "POST", "api-keys/", body, credential=f"Bearer {token}")
    assert answer.status in (401, 403), answer.text


def test_a_token_is_no_good_in_another_tenant(site: Server, house: House) -> None:
    mine, theirs = bearer(house.mallory), house.alice
    at = ({"host": host(theirs)}, {"prefix": prefix(theirs)})
    assert [call(site, "GET", "orders/", credential=mine, **where).told for where in at] == [
        MISMATCH,
        MISMATCH,
    ]


def test_neither_query_nor_body_nor_header_chooses_the_tenant(site: Server, house: House) -> None:
    mallory, theirs = house.mallory, house.tenant
    for path in (f"auth/me/?tenant={theirs.slug}", f"auth/me/?tenant_id={theirs.id}"):
        me = call(
            site,
            "GET",
            path,
            None,
            ("X-Tenant", theirs.slug),
            ("X-Tenant-ID", str(theirs.id)),
            ("X-Forwarded-Host", host(house.alice)),
            ("Forwarded", f"host={host(house.alice)}"),
            credential=bearer(mallory),
        )
        assert me.json()["tenant"]["slug"] == mallory.tenant.slug
    body = {"name": "x", "tenant": theirs.slug, "tenant_id": str(theirs.id)}
    body |= {"user_id": str(house.alice.user_id)}
    made = call(site, "POST", "accounts/", body, credential=bearer(mallory))
    assert made.status == 201
    listed = call(site, "GET", "accounts/", credential=bearer(house.olga)).text
    assert made.json()["id"] not in listed
    moved = call(site, "POST", "auth/switch/", {"tenant": theirs.slug}, credential=bearer(mallory))
    assert moved.told == (403, "no_tenant")


def test_a_token_in_query_body_or_cookie_is_not_looked_at(site: Server, one: House) -> None:
    token = one.alice.token
    names = ("token", "access", "access_token", "jwt", "authorization", "bearer", "session")
    query = "&".join(f"{name}={token}" for name in names)
    cookie = "; ".join(f"{name}={token}" for name in names)
    for answer in (
        call(site, "GET", f"accounts/?{query}"),
        call(site, "GET", "accounts/", None, ("Cookie", cookie)),
        call(site, "POST", "accounts/", dict.fromkeys(names, token)),
        call(site, "GET", "accounts/", None, ("X-Authorization", f"Bearer {token}")),
        call(site, "GET", "accounts/", None, ("Proxy-Authorization", f"Bearer {token}")),
    ):
        assert answer.told == (401, "not_authenticated")


def test_two_credentials_are_none(site: Server, one: House) -> None:
    alice, mallory = bearer(one.alice), bearer(one.mallory)
    for first, second in ((alice, mallory), (mallory, alice), (alice, alice), ("", alice)):
        pairs = (("Authorization", first), ("authorization", second))
        assert call(site, "GET", "accounts/", None, *pairs).status == 401


@pytest.mark.parametrize(
    "value",
    [
        "{token}",
        "Basic {token}",
        "Bearer",
        "Bearer {token} {token}",
        "Bearer={token}",
        "Bearer,{token}",
        "Api-Key {token}",
        "Token {token}",
        "Bearer {token}\t,",
        "Bearer \xff",
    ],
)
def test_only_bearer_and_one_token_is_a_credential(site: Server, one: House, value: str) -> None:
    value = value.format(token=one.alice.token)
    assert call(site, "GET", "accounts/", credential=value).told == REFUSED


@pytest.mark.parametrize("size", [10_000, 60_000, 500_000])
def test_a_huge_token_is_refused_and_the_process_still_answers(
    site: Server, one: House, size: int
) -> None:
    for token in ("x" * size, f"{one.alice.token}{'x' * size}", f"{'.' * size}"):
        answer = call(site, "GET", "accounts/", credential=f"Bearer {token}")
        assert 400 <= answer.status < 500
    assert call(site, "GET", "accounts/", credential=bearer(one.alice)).status == 200


def closed_with(socket: ClientConnection) -> int:
    with pytest.raises(ConnectionClosed) as closed:
        socket.recv(timeout=10)
    assert closed.value.rcvd is not None
    return closed.value.rcvd.code


def stream(site: Server, *, at: str = "", offering: str = "", path: str = "") -> ClientConnection:
    """A socket to the process, whatever host the request names."""
    home = urlsplit(site.url)
    wire = socket.create_connection((home.hostname, home.port))
    address = f"ws://{at or home.hostname}:{home.port}{path}/ws/v1/stream/"
    offered: Any = [offering] if offering else None
    return connect(address, sock=wire, subprotocols=offered)


@contextmanager
def door(
    site: Server, token: str, *, by: str, at: str = "", path: str = ""
) -> Iterator[ClientConnection]:
    """Signed in by sub-protocol or by first message."""
    offering = f"bulkhead.token.{token}" if by == "sub-protocol" else ""
    with stream(site, at=at, path=path, offering=offering) as opened:
        if by == "message":
            opened.send(json.dumps({"type": "authenticate", "token": token}))
        yield opened


WAYS = pytest.mark.parametrize("by", ["sub-protocol", "message"])


@WAYS
def test_the_stream_opens_to_a_good_token_at_every_address_of_its_tenant(
    site: Server, house: House, by: str
) -> None:
    alice = house.alice
    for where in ({}, {"at": host(alice)}, {"path": prefix(alice)}):
        with door(site, alice.token, by=by, **where) as opened:
            assert json.loads(opened.recv(timeout=10))["tenant"] == str(house.tenant.id)


@WAYS
def test_the_stream_of_another_tenants_address_is_closed(
    site: Server, house: House, by: str
) -> None:
    for where in ({"at": host(house.alice)}, {"path": prefix(house.alice)}):
        with door(site, house.mallory.token, by=by, **where) as opened:
            assert closed_with(opened) == 4403
    with door(site, house.alice.token, by=by, path="/t/nobody-here") as opened:
        assert closed_with(opened) == 4404


@WAYS
def test_the_stream_is_closed_to_forged_tokens(site: Server, one: House, by: str) -> None:
    claims = claims_of(one.alice)
    made = {**forgeries(claims), "expired": with_claims(claims, exp=1)}
    codes = {}
    for name, token in made.items():
        if by == "sub-protocol" and not token.replace(".", "").replace("!", "").isascii():
            continue
        with door(site, token, by=by) as opened:
            codes[name] = closed_with(opened)
    assert {name: code for name, code in codes.items() if code != 4401} == {}


@pytest.mark.parametrize(
    "token", [None, 1, [], {}, True, "", "\0", "\ud800", "x" * 16_000, ["a", "b"]]
)
def test_the_stream_is_closed_to_what_is_no_token(site: Server, token: Any) -> None:
    with stream(site) as opened:
        opened.send(json.dumps({"type": "authenticate", "token": token}))
        assert closed_with(opened) in (4400, 4401)


def test_the_stream_looks_at_no_query_cookie_or_header(site: Server, one: House) -> None:
    home = urlsplit(site.url)
    address = f"ws://{home.netloc}/ws/v1/stream/?token={one.alice.token}"
    headers = {"Authorization": bearer(one.alice), "Cookie": f"token={one.alice.token}"}
    with connect(address, additional_headers=headers) as opened, pytest.raises(TimeoutError):
        opened.recv(timeout=0.5)


@WAYS
def test_who_still_owes_a_second_factor_hears_nothing(site: Server, one: House, by: str) -> None:
    """Over HTTP such a token is good for adding the factor, and for nothing else."""
    owing = stepped_up(one.alice, must_enrol=True)
    refused = call(site, "GET", "accounts/", credential=owing)
    assert refused.status == 403
    with door(site, owing.removeprefix("Bearer "), by=by) as opened:
        assert closed_with(opened) == 4403


def test_a_role_in_the_token_is_signed(site: Server, one: House) -> None:
    """The one claim that a viewer would like to change."""
    head, _, signature = one.vera.token.split(".")
    promoted = with_claims(claims_of(one.vera), role=Role.OWNER.value).split(".")[1]
    answer = call(site, "GET", "members/", credential=f"Bearer {head}.{promoted}.{signature}")
    assert answer.told == REFUSED
