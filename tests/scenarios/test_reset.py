"""A paper account starts over, and its history stays."""

from __future__ import annotations

import pytest

from tests.cast import House
from tests.market import Market, list_instrument
from tests.scenarios.test_first_trade import balance, open_account
from tests.scenarios.test_order_types import holding, place, quiet, seen
from tests.scenarios.test_replay import replayed

pytestmark = pytest.mark.by_turns


@pytest.fixture
def market() -> Market:
    market = list_instrument()
    market.print_bar(open="100", high="101", low="99", close="100")
    return market


def test_a_reset_leaves_the_money_asked_for_and_nothing_else(house: House, market: Market) -> None:
    alice = house.alice
    account = open_account(alice)
    holding(alice, account, market)
    resting = place(
        alice, account, market, side="buy", type="limit", quantity="1", limit_price="50"
    )
    quiet(market, "110")
    answer = alice.post(f"accounts/{account}/reset/", {"currency": "USD", "amount": "500"})
    assert answer.status_code == 200, answer.json()
    assert balance(alice, account) == {"total": "500", "free": "500", "locked": "0"}
    assert alice.get("positions/?open=true").json()["results"] == []
    assert seen(alice, resting)["status_reason"] == "account_reset"
    sold = alice.get("fills/?side=sell").json()["results"][0]
    assert (sold["price"], sold["fee"], sold["model"]) == ("110", "0", "reset-1")
    assert replayed(house, account)["instruments"] == {market.symbol: True}


def test_a_reset_without_an_amount_leaves_nothing(house: House) -> None:
    account = open_account(house.alice)
    assert house.alice.post(f"accounts/{account}/reset/", {}).status_code == 200
    assert balance(house.alice, account)["total"] == "0"


def test_strangers_reset_nothing(house: House) -> None:
    account = open_account(house.alice)
    for stranger in (house.bob, house.mallory):
        assert stranger.post(f"accounts/{account}/reset/", {}).status_code == 404
    assert house.vera.post(f"accounts/{account}/reset/", {}).status_code == 403


def test_an_account_at_an_exchange_is_not_reset(house: House) -> None:
    real = {"name": "real", "kind": "exchange", "exchange": "kraken"}
    account = house.alice.post("accounts/", real).json()["id"]
    refused = house.alice.post(f"accounts/{account}/reset/", {})
    assert (refused.status_code, refused.json()["code"]) == (422, "paper_only")
