"""Hosts, paths, proxies and caches: no spelling of an address leads past the tenant's wall."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from django.test import Client, override_settings

from tenants import entrance
from tests.attacks.wire import bearer, call, host, prefix, send, stepped_up
from tests.cast import House, anywhere, build_house
from tests.isolation.world import World, build_world
from tests.web import Server, serve

MISSING = (404, "unknown_tenant")


@pytest.fixture(scope="module")
def world() -> World:
    return build_world()


def port(site: Server) -> int:
    return urlsplit(site.url).port or 80


def test_every_way_to_write_a_tenants_host_is_that_tenant(site: Server, house: House) -> None:
    """And so a foreign token is a foreign token there."""
    home = host(house.alice)
    for spelled in (home, f"{home}:{port(site)}", f"{home}:1", home.upper(), f"{home}."):
        mine = call(site, "GET", "auth/me/", credential=bearer(house.alice), host=spelled)
        assert mine.json()["tenant"]["slug"] == house.tenant.slug, spelled
        theirs = call(site, "GET", "auth/me/", credential=bearer(house.mallory), host=spelled)
        assert theirs.told == (403, "tenant_mismatch"), spelled


@pytest.mark.parametrize(
    "spelled",
    [
        "nobody-here.localhost",
        "evil.example",
        "{host}.evil.example",
        "evil.example.{host}",
        "x.{host}",
        "{slug}.127.0.0.1",
        "{slug}.localhost.evil.example",
        "evil.example@{host}",
        "{host}@evil.example",
        "user:pass@{host}",
        "{host}:80:80",
        "{host}:x",
        "{host}..",
        ".{host}",
        ".localhost",
        "{slug}%2elocalhost",
        "{slug}\u00b7localhost",
        "{host}/",
        "{host}#",
        "{host}?",
        "{host},{other}",
        "{host} {other}",
        "{host}\t",
        "{host};{other}",
        "[::1]",
        "[{host}]",
        "0177.0.0.1",
        "2130706433",
        "%00",
        "xn--{slug}.localhost",
        "_.localhost",
        "*.localhost",
        "' OR '1'='1",
    ],
)
def test_a_host_that_is_nobodys_is_no_ones_door(site: Server, house: House, spelled: str) -> None:
    house.alice.post("accounts/", {"name": "a canary of hers"})
    written = spelled.format(
        host=host(house.alice), slug=house.tenant.slug, other=host(house.mallory)
    )
    for credential in ("", bearer(house.mallory)):
        answer = send(
            site,
            "GET",
            "/api/v1/accounts/",
            *((("Authorization", credential),) if credential else ()),
            host=written.encode().decode("latin-1"),
        )
        assert answer.status in (400, 401, 403, 404), answer.text
        assert "canary" not in answer.text


def test_the_host_of_the_request_line_is_not_believed(site: Server, house: House) -> None:
    """Absolute-form (RFC 9112, 3.2.2): whichever it goes by, the token is a stranger's there."""
    house.alice.post("accounts/", {"name": "a canary of hers"})
    for home in (host(house.alice), host(house.mallory), "127.0.0.1"):
        target = f"http://{host(house.alice)}/api/v1/accounts/"
        pairs = ("Authorization", bearer(house.mallory))
        answer = send(site, "GET", target, pairs, host=home)
        assert answer.status < 500
        assert "canary" not in answer.text


def test_no_header_speaks_for_the_host(site: Server, house: House) -> None:
    theirs = host(house.alice)
    names = ("X-Forwarded-Host", "X-Host", "X-Original-Host", "X-Forwarded-Server")
    pairs = [(name, theirs) for name in names]
    pairs += [("Forwarded", f"host={theirs}"), ("X-Original-URL", f"{prefix(house.alice)}/")]
    pairs += [("X-Script-Name", prefix(house.alice)), ("Script-Name", prefix(house.alice))]
    me = call(site, "GET", "auth/me/", None, *pairs, credential=bearer(house.mallory))
    assert me.json()["tenant"]["slug"] == house.mallory.tenant.slug


def test_two_hosts_are_refused_or_read_as_one_door(site: Server, house: House) -> None:
    pairs = (("Host", host(house.alice)), ("Authorization", bearer(house.mallory)))
    answer = send(site, "GET", "/api/v1/auth/me/", *pairs, host=host(house.mallory))
    assert answer.status in (400, 403, 404), answer.text


@pytest.mark.parametrize(
    "path",
    [
        "/t/{mine}/../{theirs}/api/v1/accounts/",
        "/t/{mine}/%2e%2e/{theirs}/api/v1/accounts/",
        "/t/{mine}/..%2f{theirs}/api/v1/accounts/",
        "/t/{mine}%2f..%2f{theirs}/api/v1/accounts/",
        "/t/{mine}%2f%2e%2e%2f{theirs}%2fapi%2fv1%2faccounts%2f",
        "/t/{mine}/t/{theirs}/api/v1/accounts/",
        "/t/{mine}/../../t/{theirs}/api/v1/accounts/",
        "/t/{mine}\\..\\{theirs}/api/v1/accounts/",
        "/t/{mine};/{theirs}/api/v1/accounts/",
        "/t/{theirs}/api/v1/accounts/",
        "/t/{theirs}//api/v1/accounts/",
        "/t/{upper}/api/v1/accounts/",
        "/T/{theirs}/api/v1/accounts/",
        "/t//{theirs}/api/v1/accounts/",
        "//t/{theirs}/api/v1/accounts/",
        "/./t/{theirs}/api/v1/accounts/",
        "/t/./{theirs}/api/v1/accounts/",
        "/t/{theirs}%00/api/v1/accounts/",
        "/t/{theirs}%0a/api/v1/accounts/",
        "/t/{theirs}%20/api/v1/accounts/",
        "/t/{theirs}./api/v1/accounts/",
        "/t/%74{theirs}/api/v1/accounts/",
        "/%74/{theirs}/api/v1/accounts/",
        "/t/{theirs}/%2e%2e/%2e%2e/api/v1/accounts/",
        "/api/v1/../../t/{theirs}/api/v1/accounts/",
        "/api/v1/auth/..%2f..%2f..%2ft/{theirs}/api/v1/accounts/",
        "/healthz/../t/{theirs}/api/v1/accounts/",
        "/api/v1/auth/../accounts/",
        "/api/v1//accounts/",
        "/api/v1/accounts/%2e%2e/accounts/",
        "/api/v1/accounts/;/",
    ],
)
def test_no_spelling_of_a_path_leads_to_another_tenant(
    site: Server, world: World, path: str
) -> None:
    for tier in ("starter", "enterprise"):
        alice, mallory = world.houses[tier].alice, world.houses[tier].mallory
        target = path.format(
            mine=mallory.tenant.slug, theirs=alice.tenant.slug, upper=alice.tenant.slug.upper()
        )
        for credential in ("", bearer(mallory)):
            pairs = (("Authorization", credential),) if credential else ()
            answer = send(site, "GET", target, *pairs)
            assert answer.status in (400, 401, 403, 404), (answer.status, answer.text)
            assert not [s for t in world.traders for s in t.secrets if s in answer.text]


def test_an_address_of_the_client_is_believed_from_the_last_proxy_only(
    site: Server, house: House
) -> None:
    """What the client writes in front of it does not choose the address it counts for."""
    real = anywhere()
    body = {"email": f"nobody@{house.tenant.slug}.example", "password": "Wrong-horse-7"}
    told = []
    for number in range(7):
        spoofed = f"{anywhere()}, 10.0.0.{number}, {real}"
        pairs = (("Forwarded", f"for={anywhere()}"), ("X-Real-IP", anywhere()))
        told.append(call(site, "POST", "auth/login/", body, *pairs, at=spoofed).status)
    assert told[:5] == [401] * 5
    assert told[-1] == 429


@override_settings(TRUSTED_PROXIES=2)
def test_a_proxy_that_adds_a_line_of_its_own_hides_nobody() -> None:
    """A header in two lines is one list, for sockets as for requests."""
    real, proxy = anywhere(), "10.0.0.1"
    lines = [(b"x-forwarded-for", hop.encode()) for hop in (anywhere(), real, proxy)]
    assert entrance._client_of({"client": ("10.0.0.2", 1), "headers": lines}) == real


def test_without_a_trusted_proxy_the_header_is_not_read() -> None:
    """Neither by us nor by the server in front of us."""
    body = {"email": f"nobody{uuid4().hex}@x.example", "password": "Wrong-horse-7"}
    with serve() as bare:
        told = [call(bare, "POST", "auth/login/", body, at=anywhere()).status for _ in range(7)]
    assert told[-1] == 429


@override_settings(ADDRESS_REQUESTS_PER_MINUTE=10)
def test_asking_for_tenants_that_are_not_there_is_counted_too() -> None:
    """Each is a look into the database, by somebody who has shown nothing."""
    client = Client(REMOTE_ADDR=anywhere())
    told = [client.get(f"/t/nobody-{n}/api/v1/accounts/").status_code for n in range(30)]
    assert told[-1] == 429


def lists(world: World) -> list[Any]:
    return [world.houses[tier] for tier in ("starter", "enterprise")]


def test_nothing_about_data_may_be_kept_by_a_cache(site: Server, world: World) -> None:
    for house in lists(world):
        urls = ("accounts/", "orders/", "instruments/", "auth/me/", "nothing-here/")
        for path in urls:
            for person in (house.alice, house.bob, house.mallory):
                answer = call(site, "GET", path, credential=bearer(person))
                assert answer.headers["cache-control"] == "private, no-store", path
                assert "age" not in answer.headers
                assert "set-cookie" not in answer.headers
            refused = call(site, "GET", path)
            assert refused.headers["cache-control"] == "private, no-store", path
            other = (house.mallory, prefix(house.alice))
            away = call(site, "GET", path, credential=bearer(other[0]), prefix=other[1])
            assert away.headers["cache-control"] == "private, no-store", path


def test_the_same_url_tells_each_their_own(site: Server, world: World) -> None:
    seen: dict[str, str] = {}
    for _ in range(2):
        for trader in world.traders:
            answer = call(site, "GET", "accounts/", credential=bearer(trader.person))
            assert trader.canary in answer.text
            assert not [t for t in world.strangers_of(trader) if t.canary in answer.text]
            seen[trader.user] = answer.text
    assert len(set(seen.values())) == len(world.traders)


@pytest.mark.parametrize(
    "name", ["X-Forwarded-Host", "X-Forwarded-Prefix", "X-Forwarded-Proto", "Accept-Language"]
)
def test_no_unkeyed_header_gets_into_an_answer(site: Server, name: str, house: House) -> None:
    for path in ("instruments/", "accounts/?page_size=1", "schema/", "nothing-here/"):
        answer = call(site, "GET", path, None, (name, "evil.example"), credential=bearer(house.bob))
        assert "evil.example" not in answer.text + str(answer.headers)


def test_a_tag_of_one_is_no_precondition_of_another(site: Server, house: House) -> None:
    def made(person: Any, name: str) -> tuple[str, str]:
        answer = call(site, "POST", "accounts/", {"name": name}, credential=bearer(person))
        path = f"accounts/{answer.json()['id']}/"
        return path, call(site, "GET", path, credential=bearer(person)).headers["etag"]

    (path, own), (_, foreign) = made(house.alice, "hers"), made(house.mallory, "hers")
    assert own != foreign
    for name, status in (("If-Match", 412), ("If-None-Match", 200)):
        method, body = ("PATCH", {"name": "x"}) if status == 412 else ("GET", None)
        answer = call(site, method, path, body, (name, foreign), credential=bearer(house.alice))
        assert answer.status == status
    kept = call(site, "GET", path, None, ("If-None-Match", own), credential=bearer(house.mallory))
    assert kept.told == (404, "not_found")


def test_a_tag_stands_for_what_its_own_reader_saw(site: Server, house: House) -> None:
    """Of the same account, seen by who owns it and by who is in charge of the tenant."""
    made = call(site, "POST", "accounts/", {"name": "hers"}, credential=bearer(house.alice))
    path = f"accounts/{made.json()['id']}/"
    tags = {
        call(site, "GET", path, credential=bearer(person)).headers["etag"]
        for person in (house.alice, house.olga)
    }
    assert len(tags) == 2


def test_a_kept_answer_is_given_to_its_own_person_only(site: Server, house: House) -> None:
    """The same `Idempotency-Key`, URL and body of somebody else is another request."""
    key = ("Idempotency-Key", "the same for all")
    ids = []
    for person in (house.alice, house.bob, house.mallory, house.olga):
        answer = call(site, "POST", "accounts/", {"name": "a"}, key, credential=bearer(person))
        assert answer.status == 201, answer.text
        ids.append(answer.json()["id"])
    assert len(set(ids)) == 4


def test_the_platforms_pages_are_not_on_a_tenants_address(site: Server) -> None:
    house = build_house("starter")
    for path in ("/admin/", "/admin/login/", "/healthz", "/readyz"):
        for where in ({"host": host(house.alice)}, {}):
            target = path if where else f"{prefix(house.alice)}{path}"
            assert send(site, "GET", target, **where).status == 404, target
    body = {"email": "x@x.example", "password": "Correct-horse-7", "tenant": "anything"}
    answer = call(site, "POST", "auth/signup/", body, host=host(house.alice))
    assert answer.told == (404, "not_found")
    assert call(site, "GET", "members/", credential=stepped_up(house.olga)).status == 200
