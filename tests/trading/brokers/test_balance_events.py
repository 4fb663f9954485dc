"""Whoever owns a balance is told how it stands after each commit that moved it, once."""

from __future__ import annotations

from typing import Any

import pytest

from tests.cast import House, Person
from tests.market import Market, list_instrument
from trading.models import Notification

pytestmark = pytest.mark.by_turns

KIND = "balance.changed"


def told(person: Person) -> list[dict[str, Any]]:
    with person.inside():
        rows = Notification.objects.filter(user_id=person.user_id, kind=KIND).order_by("number")
        return list(rows.values_list("data", flat=True))


def amounts(event: dict[str, Any]) -> tuple[str, str, str]:
    return event["total"], event["free"], event["locked"]


def funded(person: Person, amount: str = "1000") -> str:
    body = {"name": "paper", "maker_bps": "0", "taker_bps": "0", "slippage_bps": "0"}
    account = str(person.post("accounts/", body).json()["id"])
    money = {"currency": "USD", "amount": amount}
    assert person.post(f"accounts/{account}/deposit/", money).status_code == 201
    return account


def market_at_100() -> Market:
    market = list_instrument()
    market.print_bar(open="100", high="100", low="100", close="100")
    return market


def test_a_deposit_and_a_withdrawal_are_told(house: House) -> None:
    account = funded(house.alice)
    house.alice.post(f"accounts/{account}/withdraw/", {"currency": "USD", "amount": "1.5"})
    first, second = told(house.alice)
    assert (first["account"], first["currency"]) == (account, "USD")
    assert (amounts(first), amounts(second)) == (
        ("1000", "1000", "0"),
        ("998.5", "998.5", "0"),
    )
    assert told(house.bob) == told(house.olga) == []


def test_what_an_order_locks_and_a_cancel_frees_is_told(house: House) -> None:
    market, alice = market_at_100(), house.alice
    account = funded(alice)
    body = {"account": account, "instrument": market.symbol, "side": "buy", "type": "limit"}
    order = alice.post("orders/", {**body, "quantity": "2", "limit_price": "90"}).json()
    alice.request("DELETE", f"orders/{order['id']}/")
    assert [amounts(event) for event in told(alice)[1:]] == [
        ("1000", "820", "180"),
        ("1000", "1000", "0"),
    ]


def test_a_bar_that_moves_a_balance_many_times_tells_the_end_of_it(house: House) -> None:
    market, alice = market_at_100(), house.alice
    account = funded(alice)
    body = {"account": account, "instrument": market.symbol, "side": "buy", "type": "limit"}
    for price in ("90", "91", "92"):
        alice.post("orders/", {**body, "quantity": "1", "limit_price": price})
    before = len(told(alice))
    market.feed_bar(open="100", high="100", low="80", close="85")
    (event,) = told(alice)[before:]
    assert amounts(event) == ("727", "727", "0")


def test_a_refused_request_tells_nothing(house: House) -> None:
    account = funded(house.alice)
    money = {"currency": "USD", "amount": "1001"}
    assert house.alice.post(f"accounts/{account}/withdraw/", money).status_code == 422
    assert len(told(house.alice)) == 1
