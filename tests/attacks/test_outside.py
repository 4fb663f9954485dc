"""The second half of docs/permissions.md: pages and stream, asked by everybody at every address."""

from __future__ import annotations

from uuid import uuid4

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect
from websockets.typing import Subprotocol

from tenants import tasks
from tests.attacks import everybody, outside
from tests.attacks.browser import Browser, staff, staff_with_password
from tests.attacks.everybody import Everybody
from tests.attacks.outside import Page, pages
from tests.attacks.wire import send
from tests.cast import anywhere
from tests.web import Server

TIERS = ("starter", "enterprise")


@pytest.fixture(scope="module")
def cast(site: Server) -> dict[str, Everybody]:
    """Everybody, in both kinds of tenant."""
    return {tier: everybody.made(site, tier) for tier in TIERS}


@pytest.fixture(scope="module")
def half(site: Server) -> Browser:
    return staff_with_password(site)


@pytest.fixture(scope="module")
def whole(site: Server) -> Browser:
    return staff(site)


def got(site: Server, path: str, credential: str) -> int:
    pairs = (("Authorization", credential),) if credential else ()
    return send(site, "GET", path, *pairs).status


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.path)
def test_every_page_is_as_the_table_says(
    site: Server, cast: dict[str, Everybody], half: Browser, whole: Browser, page: Page
) -> None:
    tasks.pulse()  # as of a worker: ready
    path = page.example(str(uuid4()))
    for tier in TIERS:
        met = {who: got(site, path, by) for who, by in cast[tier].credentials.items()}
        assert met == dict.fromkeys(met, page.anyone)
    assert (half.get(path).status, whole.get(path).status) == (page.half, page.staff)


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.path)
def test_no_page_of_the_platform_is_on_a_tenants_address(
    site: Server, cast: dict[str, Everybody], whole: Browser, page: Page
) -> None:
    path = page.example(str(uuid4()))
    for tier in TIERS:
        at_home = cast[tier].prefix + path
        met = {who: got(site, at_home, by) for who, by in cast[tier].credentials.items()}
        assert met == dict.fromkeys(met, 404)
        assert whole.get(at_home).status == 404


def test_no_form_is_taken_without_its_token(site: Server, whole: Browser) -> None:
    for page in pages():
        if page.path not in ("/nowhere", "/"):
            path = page.example(str(uuid4()))
            assert send(site, "POST", path).status == 403, path
            assert whole.post_without_token(path).status == 403, path


def stream(site: Server, path: str, credential: str) -> int:
    """The code that the stream is closed with; 0 for who is let in."""
    token = credential.removeprefix("Bearer ").removeprefix("Api-Key ")
    url, offered = site.url.replace("http", "ws") + path, Subprotocol(f"bulkhead.token.{token}")
    came_from = {"X-Forwarded-For": anywhere()}
    with connect(url, subprotocols=[offered], additional_headers=came_from) as socket:
        try:
            assert "authenticated" in str(socket.recv(timeout=20))
        except ConnectionClosed as closed:
            assert closed.rcvd is not None
            return closed.rcvd.code
    return 0


@pytest.mark.parametrize("tier", TIERS)
def test_the_stream_lets_in_whom_the_table_says(
    site: Server, cast: dict[str, Everybody], tier: str
) -> None:
    here = cast[tier]
    for prefix in ("", here.prefix):
        met = {
            who: stream(site, prefix + outside.STREAM, by) for who, by in here.credentials.items()
        }
        assert met == {who: outside.stream_answer(who) for who in met}


def test_the_stream_of_another_tenant_lets_nobody_in(
    site: Server, cast: dict[str, Everybody]
) -> None:
    here, there = (cast[tier] for tier in TIERS)
    for who, by in here.credentials.items():
        code = outside.stream_answer(who) or outside.ANOTHER_TENANTS
        assert stream(site, there.prefix + outside.STREAM, by) == code, who


def test_nothing_is_left_out() -> None:
    assert len(pages()) > 30
    assert not [page.path for page in pages() if set(page.path) & set("(<?^$\\")]
