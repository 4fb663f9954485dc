"""A trader's first day, by API: money in, an order, a bar, a position, a portfolio."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection

from tests.cast import House, Person, job, now
from tests.market import Market, list_instrument
from trading.orders import actions

pytestmark = pytest.mark.by_turns


@pytest.fixture
def market() -> Market:
    """An instrument of the test's own, last traded at 100."""
    market = list_instrument()
    market.print_bar(open="100", high="101", low="99", close="100")
    return market


def open_account(person: Person, amount: str = "10000") -> str:
    answer = person.post("accounts/", {"name": "paper", "currency": "USD"})
    assert answer.status_code == 201, answer.json()
    account = str(answer.json()["id"])
    money = {"currency": "USD", "amount": amount}
    assert person.post(f"accounts/{account}/deposit/", money).status_code == 201
    return account


def balance(person: Person, account: str) -> dict[str, str]:
    rows = person.get(f"accounts/{account}/balances/").json()["results"]
    return {key: rows[0][key] for key in ("total", "free", "locked")}


def order(account: str, market: Market, **extra: Any) -> dict[str, Any]:
    body = {"account": account, "instrument": market.symbol, "side": "buy", "type": "market"}
    return {**body, **({"quantity": "2"} if "notional" not in extra else {}), **extra}


def test_a_market_order_fills_at_the_next_open_and_moves_the_portfolio(
    house: House, market: Market
) -> None:
    alice = house.alice
    account = open_account(alice)
    placed = alice.post("orders/", order(account, market))
    assert placed.status_code == 201, placed.json()
    assert placed.json()["status"] == "accepted"
    assert Decimal(balance(alice, account)["locked"]) > 200

    market.feed_bar(open="110", high="112", low="108", close="111")

    done = alice.get(f"orders/{placed.json()['id']}/").json()
    assert (done["status"], done["filled_quantity"]) == ("filled", "2")
    fill = alice.get(f"orders/{done['id']}/fills/").json()["results"][0]
    assert fill["price"] == "110.06"  # 5 basis points of slippage, up to the increment
    assert balance(alice, account)["locked"] == "0"
    position = alice.get("positions/").json()["results"][0]
    assert (position["quantity"], position["market_value"]) == ("2", "222")
    total = alice.get("portfolio/").json()["total"][0]
    spent = 2 * Decimal("110.06") + Decimal(fill["fee"])
    assert Decimal(total["cash"]) == 10_000 - spent
    assert Decimal(total["equity"]) == 10_000 - spent + 222


def test_a_limit_order_waits_until_the_price_goes_through_it(house: House, market: Market) -> None:
    alice = house.alice
    account = open_account(alice)
    placed = alice.post("orders/", order(account, market, type="limit", limit_price="95"))
    assert balance(alice, account)["locked"] == "190.38"  # 2 × 95 and the fee of 20 basis points

    market.feed_bar(open="100", high="101", low="95", close="98")
    assert alice.get(f"orders/{placed.json()['id']}/").json()["status"] == "accepted"

    market.feed_bar(open="97", high="98", low="94", close="96")
    done = alice.get(f"orders/{placed.json()['id']}/").json()
    assert (done["status"], done["average_price"]) == ("filled", "95")
    assert Decimal(balance(alice, account)["total"]) == Decimal("10000") - 190 - Decimal("0.19")


def test_selling_closes_the_position_and_takes_the_profit(house: House, market: Market) -> None:
    alice = house.alice
    account = open_account(alice)
    alice.post("orders/", order(account, market))
    market.feed_bar(open="100", high="101", low="99", close="100")
    sold = alice.post("orders/", order(account, market, side="sell"))
    assert sold.status_code == 201, sold.json()
    market.feed_bar(open="120", high="121", low="119", close="120")

    position = alice.get("positions/?open=false").json()["results"][0]
    assert position["quantity"] == "0"
    assert position["closed_at"] is not None
    assert Decimal(position["realized_pnl"]) == 2 * (Decimal("119.94") - Decimal("100.05"))


def test_what_is_not_held_cannot_be_sold(house: House, market: Market) -> None:
    account = open_account(house.alice)
    answer = house.alice.post("orders/", order(account, market, side="sell"))
    assert (answer.status_code, answer.json()["code"]) == (422, "insufficient_position")


def test_more_than_there_is_cannot_be_spent(house: House, market: Market) -> None:
    account = open_account(house.alice, amount="100")
    answer = house.alice.post("orders/", order(account, market))
    assert (answer.status_code, answer.json()["code"]) == (422, "insufficient_funds")
    assert house.alice.get("orders/").json()["results"] == []


def test_cancelling_frees_the_money(house: House, market: Market) -> None:
    alice = house.alice
    account = open_account(alice)
    placed = alice.post("orders/", order(account, market, type="limit", limit_price="50")).json()
    canceled = alice.request("DELETE", f"orders/{placed['id']}/")
    assert canceled.json()["status"] == "canceled"
    assert balance(alice, account) == {"total": "10000", "free": "10000", "locked": "0"}
    again = alice.request("DELETE", f"orders/{placed['id']}/")
    assert (again.status_code, again.json()["code"]) == (409, "order_not_open")


def test_the_same_client_order_id_answers_the_first_order(house: House, market: Market) -> None:
    alice = house.alice
    account = open_account(alice)
    body = order(account, market, client_order_id="mine-1")
    first, second = alice.post("orders/", body), alice.post("orders/", body)
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json()["id"] == second.json()["id"]
    other = alice.post("orders/", {**body, "quantity": "3"})
    assert (other.status_code, other.json()["code"]) == (422, "client_order_id_reused")


def test_the_same_idempotency_key_gives_the_same_answer(house: House, market: Market) -> None:
    alice = house.alice
    account = open_account(alice)
    key = {"Idempotency_Key": uuid4().hex}
    money = {"currency": "USD", "amount": "5"}
    first = alice.post(f"accounts/{account}/deposit/", money, **key)
    second = alice.post(f"accounts/{account}/deposit/", money, **key)
    assert first.content == second.content
    assert balance(alice, account)["total"] == "10005"
    other = alice.post(f"accounts/{account}/deposit/", {**money, "amount": "6"}, **key)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")


def test_the_same_bar_twice_fills_once(house: House, market: Market) -> None:
    alice = house.alice
    account = open_account(alice)
    placed = alice.post("orders/", order(account, market, type="limit", limit_price="95")).json()
    bar = market.feed_bar(open="97", high="98", low="90", close="96", volume="10")
    market.feed(bar)
    filled = alice.get(f"orders/{placed['id']}/").json()["filled_quantity"]
    assert filled == "1"  # a tenth of the bar's volume, once
    assert len(alice.get(f"orders/{placed['id']}/fills/").json()["results"]) == 1


def test_an_order_with_a_date_ends_on_it(house: House, market: Market) -> None:

    alice = house.alice
    account = open_account(alice)
    soon = (now() + timedelta(hours=1)).isoformat()
    body = order(
        account, market, type="limit", limit_price="50", time_in_force="gtd", expires_at=soon
    )
    placed = alice.post("orders/", body).json()
    with job(house.tenant):
        assert actions.expire_due(now=now()) == 0
        assert actions.expire_due(now=datetime.now(UTC) + timedelta(hours=2)) == 1
    assert alice.get(f"orders/{placed['id']}/").json()["status"] == "expired"
    assert balance(alice, account)["locked"] == "0"


def test_the_largest_sums_are_kept_to_the_last_digit(house: House) -> None:
    """38 digits are more than Decimal's own context holds."""
    alice = house.alice
    largest = "99999999999999999998.123456789012345678"
    account = open_account(alice, amount=largest)
    money = {"currency": "USD", "amount": "0.000000000000000001"}
    assert alice.post(f"accounts/{account}/deposit/", money).status_code == 201
    assert balance(alice, account)["total"] == "99999999999999999998.123456789012345679"
    taken = {"currency": "USD", "amount": "99999999999999999990.123456789012345678"}
    assert alice.post(f"accounts/{account}/withdraw/", taken).status_code == 201
    assert balance(alice, account)["total"] == "8.000000000000000001"
    assert alice.post(f"accounts/{account}/deposit/", taken).status_code == 201
    too_much = alice.post(f"accounts/{account}/deposit/", {"currency": "USD", "amount": "9"})
    assert (too_much.status_code, too_much.json()["code"]) == (400, "invalid")


def test_lots_are_sold_first_in_first_out_where_the_account_says_so(
    house: House, market: Market
) -> None:
    alice = house.alice
    made = alice.post("accounts/", {"name": "lots", "cost_method": "fifo"}).json()
    money = {"currency": "USD", "amount": "10000"}
    alice.post(f"accounts/{made['id']}/deposit/", money)
    for price in ("100", "200"):
        alice.post("orders/", order(made["id"], market, quantity="1"))
        market.feed_bar(open=price, high=price, low=price, close=price)
    alice.post("orders/", order(made["id"], market, side="sell", quantity="1"))
    market.feed_bar(open="300", high="300", low="300", close="300")
    position = alice.get("positions/").json()["results"][0]
    assert Decimal(position["realized_pnl"]) == Decimal("299.85") - Decimal("100.05")
    assert position["cost_basis"] == "200.1"


def test_a_price_that_rounds_to_nothing_is_refused(house: House, market: Market) -> None:
    account = open_account(house.alice)
    answer = house.alice.post("orders/", order(account, market, type="limit", limit_price="0.001"))
    assert (answer.status_code, answer.json()["code"]) == (422, "price_too_small")


def test_cancelling_all_cancels_what_is_open_by_then(house: House, market: Market) -> None:
    alice = house.alice
    account = open_account(alice)
    for price in ("50", "60", "70"):
        alice.post("orders/", order(account, market, type="limit", limit_price=price))
    assert len(alice.post("orders/cancel-all/", {}).json()) == 3
    assert alice.post("orders/cancel-all/", {}).json() == []
    assert balance(alice, account) == {"total": "10000", "free": "10000", "locked": "0"}


def test_books_that_cannot_take_a_fill_halt_their_account_and_nobody_elses(
    house: House, market: Market
) -> None:
    """A sum beyond 38 digits: the sale is undone, and Bob's order fills by the same bar."""
    alice, bob = house.alice, house.bob
    full, other = open_account(alice), open_account(bob)
    alice.post("orders/", order(full, market))
    market.feed_bar(open="100", high="101", low="99", close="100")
    free = Decimal(balance(alice, full)["free"])
    rest = {"currency": "USD", "amount": str(Decimal("99999999999999999999") - free)}
    assert alice.post(f"accounts/{full}/deposit/", rest).status_code == 201
    sale = alice.post("orders/", order(full, market, side="sell")).json()["id"]
    bought = bob.post("orders/", order(other, market)).json()["id"]
    market.feed_bar(open="100", high="101", low="99", close="100")
    assert bob.get(f"orders/{bought}/").json()["status"] == "filled"
    assert alice.get(f"orders/{sale}/").json()["status"] == "accepted"
    assert alice.get(f"accounts/{full}/").json()["status"] == "halted"
    assert alice.request("DELETE", f"orders/{sale}/").json()["status"] == "canceled"


def test_lots_are_counted_in_the_order_they_were_booked(house: House, market: Market) -> None:
    """What a daily bar bought is sold by hours, which go on where the day has ended."""
    alice = house.alice
    account = alice.post("accounts/", {"name": "lots", "cost_method": "fifo"}).json()["id"]
    alice.post(f"accounts/{account}/deposit/", {"currency": "USD", "amount": "10000"})
    alice.post("orders/", order(account, market, type="limit", limit_price="95"))
    day = replace(market.bar(open="97", high="98", low="90", close="96"), timeframe="1d")
    market.feed(day)
    market = replace(market, hours=count(30))
    for quantity in ("1", "1"):
        alice.post("orders/", order(account, market, side="sell", quantity=quantity))
        market.feed_bar(open="100", high="100", low="100", close="100")
    position = alice.get("positions/?open=false").json()["results"][0]
    assert Decimal(position["realized_pnl"]) == 2 * (Decimal("99.95") - 95)


def test_an_older_bar_that_comes_late_brings_no_order_back(house: House, market: Market) -> None:
    alice = house.alice
    account = open_account(alice)
    alice.post("orders/", order(account, market, type="limit", limit_price="95", quantity="3"))
    early, late = (
        market.bar(open="97", high="98", low="90", close="96", volume="10") for _ in range(2)
    )
    for bar in (late, early, late):
        market.feed(bar)
    assert [f["quantity"] for f in alice.get("fills/").json()["results"]] == ["1"]


def test_twenty_first_accounts_at_once_are_all_opened(house: House) -> None:
    def open_one(number: int) -> int:
        try:
            return int(house.alice.post("accounts/", {"name": f"n{number}"}).status_code)
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(open_one, range(20))) == {201}
    accounts = house.alice.get("accounts/").json()["results"]
    assert [account["is_default"] for account in accounts].count(True) == 1


def test_one_key_from_twenty_threads_moves_money_once(house: House) -> None:
    account = open_account(house.alice)
    key = {"Idempotency_Key": uuid4().hex}

    def pay(_: int) -> bytes:
        try:
            money = {"currency": "USD", "amount": "7"}
            return bytes(house.alice.post(f"accounts/{account}/deposit/", money, **key).content)
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(pay, range(20)))) == 1
    assert balance(house.alice, account)["total"] == "10007"


def test_notes_are_not_overwritten_by_whoever_read_an_older_version(
    house: House, market: Market
) -> None:
    alice = house.alice
    account = open_account(alice)
    alice.post("orders/", order(account, market))
    market.feed_bar(open="100", high="101", low="99", close="100")
    position = alice.get("positions/").json()["results"][0]["id"]
    etag = alice.get(f"positions/{position}/")["ETag"]
    market.feed_bar(open="120", high="121", low="119", close="120")
    path = f"positions/{position}/notes/"
    assert alice.request("PATCH", path, {"notes": "a"}, If_Match=etag).status_code == 200
    assert alice.request("PATCH", path, {"notes": "b"}, If_Match=etag).status_code == 412
