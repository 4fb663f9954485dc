"""Exits that lie on the wrong side are refused, by whichever way they come."""

from __future__ import annotations

from typing import Any

import pytest

from tests.cast import House
from tests.market import Market, list_instrument
from tests.scenarios.test_first_trade import balance, open_account
from tests.scenarios.test_order_types import bracket, holding, place, seen

pytestmark = pytest.mark.by_turns


@pytest.fixture
def market() -> Market:
    market = list_instrument()
    market.print_bar(open="100", high="101", low="99", close="100")
    return market


def exits(profit: str = "120", stop: str = "90", **stop_loss: str) -> dict[str, Any]:
    """A bracket's, or with `order_class` oco, where the profit is the limit, an OCO's."""
    legs = {"take_profit": {"limit_price": profit}}
    return {**legs, "stop_loss": {"stop_price": stop, **stop_loss}}


@pytest.mark.parametrize(
    "asked",
    [
        {"type": "limit", "limit_price": "100", **exits(profit="99")},
        {"type": "limit", "limit_price": "100", **exits(stop="100")},
        {"type": "stop", "stop_price": "110", **exits(profit="110")},
        {"type": "market", **exits(limit_price="91")},
        {"type": "market", **exits(profit="0")},
        {"type": "market", **exits(stop="-1")},
        {"type": "market", "order_class": "bracket"},
    ],
)
def test_what_contradicts_itself_is_refused_and_previewed_alike(
    house: House, market: Market, asked: dict[str, Any]
) -> None:
    account = open_account(house.alice)
    body = {"account": account, "instrument": market.symbol, "side": "buy", "quantity": "1"}
    for path in ("orders/", "orders/preview/"):
        answer = house.alice.post(path, {**body, **asked})
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid"), path
        assert answer.json()["errors"]


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"type": "market", **exits(profit="100")}, "take_profit.limit_price above"),
        ({"type": "market", **exits(stop="100")}, "stop_loss.stop_price below"),
        # On its increments of 0.01 the profit is at the entry's price.
        (
            {"type": "limit", "limit_price": "100", **exits(profit="100.001")},
            "take_profit.limit_price above limit_price 100",
        ),
    ],
)
def test_what_the_market_contradicts_is_refused_with_its_reason_and_locks_nothing(
    house: House, market: Market, asked: dict[str, Any], said: str
) -> None:
    account = open_account(house.alice)
    body = {"account": account, "instrument": market.symbol, "side": "buy", "quantity": "1"}
    refused = house.alice.post("orders/", {**body, **asked})
    assert (refused.status_code, refused.json()["code"]) == (422, "exit_misplaced")
    assert said in refused.json()["detail"]
    (reason,) = house.alice.post("orders/preview/", {**body, **asked}).json()["reasons"]
    assert (reason["code"], reason["detail"]) == ("exit_misplaced", refused.json()["detail"])
    assert balance(house.alice, account)["locked"] == "0"


@pytest.mark.parametrize(("limit", "stop"), [("100", "90"), ("120", "100")])
def test_an_oco_stands_on_both_sides_of_the_market(
    house: House, market: Market, limit: str, stop: str
) -> None:
    account = open_account(house.alice)
    holding(house.alice, account, market)
    body = {"account": account, "instrument": market.symbol, "side": "sell", "quantity": "1"}
    asked = {"type": "limit", "limit_price": limit, "order_class": "oco"}
    refused = house.alice.post("orders/", {**body, **asked, "stop_loss": {"stop_price": stop}})
    assert (refused.status_code, refused.json()["code"]) == (422, "exit_misplaced")


def test_a_replacement_does_not_cross_what_stands_beside_it(house: House, market: Market) -> None:
    alice = house.alice
    account = open_account(alice)
    legs = {leg["role"]: leg for leg in bracket(alice, account, market)["legs"]}
    entry = place(
        alice, account, market, side="buy", type="limit", quantity="1", limit_price="95", **exits()
    )
    crossing = [
        (legs["take_profit"], {"limit_price": "90"}),
        (legs["stop_loss"], {"stop_price": "120"}),
        (entry, {"limit_price": "121"}),
    ]
    for order, change in crossing:
        refused = alice.request("PATCH", f"orders/{order['id']}/", change)
        assert (refused.status_code, refused.json()["code"]) == (422, "exit_misplaced")
        assert seen(alice, order)["status"] == order["status"]
    moved = alice.request("PATCH", f"orders/{entry['id']}/", {"limit_price": "97"})
    assert moved.status_code == 200, moved.json()
