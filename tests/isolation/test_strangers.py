"""Every route as a stranger, over real HTTP: another tenant's people, and Bob beside Alice."""

from __future__ import annotations

import json
import re
from itertools import permutations, product
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests import web
from tests.attacks.wire import stepped_up
from tests.cast import Person
from tests.guards.routes import Route, api_routes
from tests.isolation.world import Trader, World, build_world
from tests.web import Server

DETAIL = [r for r in api_routes() if r.is_detail]
# Only those in charge look at them: who is not, is told so whether the row is there or not.
OVERSEEN = (
    "Membership",
    "Invitation",
    "SupportSession",
    "AuditEvent",
    "Backup",
    "Restoration",
)
# Of whom they tell, and of nobody in charge.
PERSONAL = ("Notification",)
LISTS = [r for r in api_routes() if r.actions.get("get") == "list"]
# What a stranger would send, where a method wants a body; valid, so that only the id is wrong.
BODIES: dict[str, Any] = {
    "deposit": {"currency": "USD", "amount": "1"},
    "withdraw": {"currency": "USD", "amount": "1"},
    "notes": {"notes": "mine now"},
    "write_credentials": {"api_key": "mine", "api_secret": "now"},
    "write_limits": {"max_drawdown": "1"},
    "write_auto_buy": {"notional": "1"},
    "partial_update": {"name": "mine now"},
    "perpetual": {"leverage": "1", "margin_mode": "cross"},
    "log_decision": {"model": "mine", "decision": "now"},
    "add_funds": {"amount": "1"},
    "place_limit": {"percent": "1", "limit_price": "150"},
    "change_limit": {"limit_price": "151"},
}


def url_of(server: Server, trader: Trader, path: str) -> str:
    return f"{server.url}/t/{trader.person.tenant.slug}/{path}"


def ask(server: Server, who: Trader, method: str, path: str, body: Any = None) -> httpx.Response:
    return ask_as(server, who.person, method, path, body)


def ask_as(server: Server, who: Person, method: str, path: str, body: Any = None) -> httpx.Response:
    """As somebody who has just proven themselves: what asks for that would hide the wall."""
    address = f"{server.url}/t/{who.tenant.slug}/{path}"
    with web.client(timeout=20) as client:
        return client.request(
            method, address, headers={"Authorization": stepped_up(who)}, json=body
        )


def path_of(route: Route, key: str, order: str = "") -> str:
    """`order` is the one of the position `key` that waits."""
    path = re.sub(r"\(\?P<pk>.*?\)", key, route.name).rstrip("$")
    return re.sub(r"\(\?P<order_id>.*?\)", order, path)


def shape(answer: httpx.Response) -> dict[str, Any]:
    return {key: value for key, value in answer.json().items() if key != "request_id"}


def pairs(world: World) -> list[tuple[Trader, Trader]]:
    return list(permutations(world.traders, 2))


@pytest.mark.parametrize("route", DETAIL, ids=lambda route: route.name)
def test_a_strangers_object_is_as_missing_as_none(
    server: Server, world: World, route: Route
) -> None:
    name = route.view.model.__name__
    expected = 403 if name in OVERSEEN else 404
    for method, action in route.actions.items():
        body = BODIES.get(action)
        for owner, stranger in pairs(world):
            order = owner.ids["LimitOrder"]
            answer = ask(server, stranger, method, path_of(route, owner.ids[name], order), body)
            missing = ask(server, stranger, method, path_of(route, str(uuid4()), order), body)
            assert answer.status_code == missing.status_code == expected, (method, route.name)
            assert shape(answer) == shape(missing)


@pytest.mark.parametrize("route", DETAIL, ids=lambda route: route.name)
def test_to_who_is_in_charge_elsewhere_it_is_as_missing_as_none(
    server: Server, world: World, route: Route
) -> None:
    name = route.view.model.__name__
    for method, action in route.actions.items():
        body = BODIES.get(action)
        for trader, owner in product(world.traders, world.owners.values()):
            if owner.tenant.id == trader.person.tenant.id:
                continue
            order = trader.ids["LimitOrder"]
            answer = ask_as(server, owner, method, path_of(route, trader.ids[name], order), body)
            missing = ask_as(server, owner, method, path_of(route, str(uuid4()), order), body)
            assert answer.status_code == missing.status_code == 404, (method, route.name)
            assert shape(answer) == shape(missing)


@pytest.mark.parametrize("route", DETAIL, ids=lambda route: route.name)
def test_the_owner_finds_what_strangers_do_not(server: Server, world: World, route: Route) -> None:
    """Without this, a route that answers 404 to everyone would pass for a wall."""
    name = route.view.model.__name__
    for trader in world.traders:
        finders = [world.owner_over(trader)] * (name not in PERSONAL)
        finders += [trader.person] * (name not in OVERSEEN)
        for finder in finders:
            if "get" in route.actions:
                answer = ask_as(server, finder, "get", path_of(route, trader.ids[name]))
                assert answer.status_code == 200, answer.text
            else:
                assert trader.ids[name] in listed(server, finder, name)


def listed(server: Server, who: Person, name: str) -> str:
    """The list of a model whose rows have no page of their own."""
    [route] = [r for r in LISTS if getattr(getattr(r.view, "model", None), "__name__", "") == name]
    answer = ask_as(server, who, "get", f"{path_of(route, '')}?page_size=200")
    assert answer.status_code == 200, answer.text
    return answer.text


@pytest.mark.parametrize("route", LISTS, ids=lambda route: route.name)
def test_no_list_shows_a_strangers_row(server: Server, world: World, route: Route) -> None:
    for trader in world.traders:
        text = ask(server, trader, "get", path_of(route, "")).text
        for stranger in world.strangers_of(trader):
            assert not [secret for secret in stranger.secrets if secret in text]


def test_names_and_keys_of_strangers_can_be_used_again(server: Server) -> None:
    """A uniqueness check that crossed the wall would tell that the value exists.

    In a world of its own, since it writes canaries where others look for them.
    """
    world = build_world()
    for owner, stranger in neighbours(world):
        with web.client(headers=stranger.person.headers, timeout=20) as client:
            for path, body, header in uniques(owner, stranger, world.market.symbol):
                answer = client.post(f"{server.url}/api/v1/{path}", json=body, headers=header)
                assert answer.status_code == 201, answer.text
                told = answer.text.replace(owner.canary, "")
                assert not [secret for secret in owner.secrets if secret in told]
        own = ask(server, stranger, "get", "api/v1/accounts/?page_size=200").json()["results"]
        assert owner.canary in {account["name"] for account in own}


def neighbours(world: World) -> list[tuple[Trader, Trader]]:
    """Each with the next two: of one tenant and of two, of one tier and of both."""
    around = [*world.traders, *world.traders[:2]]
    return [(who, other) for n, who in enumerate(world.traders) for other in around[n + 1 : n + 3]]


def uniques(owner: Trader, stranger: Trader, symbol: str) -> list[tuple[str, Any, dict[str, str]]]:
    """Requests with what the owner has called something that is to be called so once."""
    named, money = {"name": owner.canary}, {"currency": "USD", "amount": "1"}
    account = stranger.ids["Account"]
    order = {
        "account": account,
        "instrument": symbol,
        "side": "buy",
        "type": "limit",
        "quantity": "1",
        "limit_price": "1",
        "client_order_id": owner.canary,
    }
    return [
        ("accounts/", named, {}),
        ("portfolios/", {**named, "initial_capital": "1"}, {}),
        (f"accounts/{account}/deposit/", money, {"Idempotency-Key": owner.canary}),
        ("orders/", order, {}),
    ]


def test_a_token_is_no_good_at_another_tenants_address(server: Server, world: World) -> None:
    for owner, stranger in pairs(world):
        if owner.person.tenant.id == stranger.person.tenant.id:
            continue
        with web.client() as client:
            answer = client.get(
                url_of(server, owner, "api/v1/orders/"), headers=stranger.person.headers
            )
        assert (answer.status_code, answer.json()["code"]) == (403, "tenant_mismatch")


@pytest.mark.parametrize(
    "path",
    [
        "/t/{mine}/../{theirs}/api/v1/orders/",
        "/t/{mine}/%2e%2e/{theirs}/api/v1/orders/",
        "/t//{theirs}/api/v1/orders/",
        "/t/{theirs}%00/api/v1/orders/",
        "/t/{theirs_upper}/api/v1/orders/",
        "/t/{theirs}/api/v1/orders/?tenant={theirs}",
        "//t/{theirs}/api/v1/orders/",
    ],
)
def test_no_spelling_of_a_path_leads_to_another_tenant(
    server: Server, world: World, path: str
) -> None:
    mine, theirs = world.traders[0], world.traders[-1]
    target = path.format(
        mine=mine.person.tenant.slug,
        theirs=theirs.person.tenant.slug,
        theirs_upper=theirs.person.tenant.slug.upper(),
    )
    with web.client() as client:
        request = client.build_request("GET", server.url, headers=mine.person.headers)
        request.url = request.url.copy_with(raw_path=target.encode())
        answer = client.send(request)
    assert answer.status_code in (403, 404), answer.text
    assert theirs.canary not in answer.text


def test_the_tenant_cannot_be_chosen_by_body_or_header(server: Server, world: World) -> None:
    mine, theirs = world.traders[0], world.traders[-1]
    body = {
        "name": f"x{uuid4().hex}",
        "currency": "USD",
        "tenant_id": str(theirs.person.tenant.id),
        "user_id": str(theirs.person.user_id),
    }
    headers = {**mine.person.headers, "X-Tenant": theirs.person.tenant.slug}
    with web.client() as client:
        made = client.post(f"{server.url}/api/v1/accounts/", json=body, headers=headers)
    assert made.status_code == 201, made.text
    listed = ask(server, theirs, "get", "api/v1/accounts/?page_size=200").text
    assert made.json()["id"] not in listed
    assert json.loads(made.text)["id"] in ask(server, mine, "get", "api/v1/accounts/").text


def test_data_is_never_for_a_shared_cache(server: Server, world: World) -> None:
    for trader in world.traders:
        for route in LISTS:
            answer = ask(server, trader, "get", path_of(route, ""))
            assert answer.headers["Cache-Control"] == "private, no-store"
