"""Every kind of order by API, from placing to the books: stops, trails, brackets, replacements."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection

from tests.cast import House, Person, job, now
from tests.market import Market, list_instrument
from tests.scenarios.test_first_trade import balance, open_account
from trading.orders import actions

pytestmark = pytest.mark.by_turns


@pytest.fixture
def market() -> Market:
    """An instrument of the test's own, last traded at 100."""
    market = list_instrument()
    market.print_bar(open="100", high="101", low="99", close="100")
    return market


def place(person: Person, account: str, market: Market, **asked: Any) -> dict[str, Any]:
    body = {"account": account, "instrument": market.symbol, **asked}
    answer = person.post("orders/", body)
    assert answer.status_code == 201, answer.json()
    placed: dict[str, Any] = answer.json()
    return placed


def seen(person: Person, order: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = person.get(f"orders/{order['id']}/").json()
    return found


def holding(person: Person, account: str, market: Market, quantity: str = "2") -> None:
    """An account that has bought at 100, and nothing in the market."""
    place(person, account, market, side="buy", type="market", quantity=quantity)
    market.feed_bar(open="100", high="101", low="99", close="100")


def quiet(market: Market, price: str = "100") -> None:
    market.feed_bar(open=price, high=price, low=price, close=price)


def alone(person: Person, asked: dict[str, Any]) -> Any:
    """Place from a thread of its own, whose connection goes back to the pool."""
    try:
        return person.post("orders/", asked)
    finally:
        connection.close()


def locked_quantity(person: Person) -> str:
    (position,) = person.get("positions/?open=true").json()["results"]
    return str(position["locked_quantity"])


def test_a_stop_buys_at_its_price_once_the_market_gets_there(house: House, market: Market) -> None:
    alice = house.alice
    account = open_account(alice)
    order = place(alice, account, market, side="buy", type="stop", quantity="1", stop_price="110")
    market.feed_bar(open="100", high="109.99", low="99", close="105")
    assert seen(alice, order)["status"] == "accepted"
    market.feed_bar(open="105", high="112", low="104", close="111")
    done = seen(alice, order)
    assert (done["status"], done["average_price"]) == ("filled", "110")
    assert balance(alice, account)["locked"] == "0"


def test_a_stop_that_gaps_takes_the_open_even_if_it_locked_less(
    house: House, market: Market
) -> None:
    alice = house.alice
    account = open_account(alice)
    order = place(alice, account, market, side="buy", type="stop", quantity="1", stop_price="110")
    quiet(market)
    market.feed_bar(open="140", high="141", low="139", close="140")
    assert seen(alice, order)["average_price"] == "140"


def test_a_stop_limit_waits_at_its_limit_once_triggered(house: House, market: Market) -> None:
    alice = house.alice
    account = open_account(alice)
    holding(alice, account, market)
    asked = {"stop_price": "90", "limit_price": "89"}
    order = place(alice, account, market, side="sell", type="stop_limit", quantity="2", **asked)
    quiet(market)
    market.feed_bar(open="85", high="86", low="84", close="85")
    assert seen(alice, order)["status"] == "triggered"
    market.feed_bar(open="86", high="92", low="85", close="91")
    done = seen(alice, order)
    assert (done["status"], done["average_price"]) == ("filled", "89")


def test_a_trailing_stop_follows_the_price_up_and_sells_on_the_way_down(
    house: House, market: Market
) -> None:
    alice = house.alice
    account = open_account(alice)
    holding(alice, account, market)
    order = place(
        alice, account, market, side="sell", type="trailing_stop", quantity="2", trail_amount="5"
    )
    market.feed_bar(open="100", high="110", low="100", close="110")
    market.feed_bar(open="117", high="120", low="116", close="119")
    assert seen(alice, order)["status"] == "accepted"
    market.feed_bar(open="119", high="119", low="112", close="113")
    done = seen(alice, order)
    assert (done["status"], done["average_price"]) == ("filled", "115")


def bracket(person: Person, account: str, market: Market, **extra: Any) -> dict[str, Any]:
    legs = {"take_profit": {"limit_price": "120"}, "stop_loss": {"stop_price": "90"}}
    asked = {"side": "buy", "type": "market", "quantity": "2", **legs, **extra}
    return place(person, account, market, **asked)


def test_the_legs_of_a_bracket_start_with_its_entry_and_the_profit_cancels_the_stop(
    house: House, market: Market
) -> None:
    alice = house.alice
    account = open_account(alice)
    entry = bracket(alice, account, market)
    assert {leg["status"] for leg in entry["legs"]} == {"initialized"}
    market.feed_bar(open="100", high="125", low="85", close="100")
    legs = seen(alice, entry)["legs"]
    assert {leg["status"] for leg in legs} == {"accepted"}, "an order of a bar is matched after it"
    assert locked_quantity(alice) == "2"
    quiet(market)
    market.feed_bar(open="118", high="121", low="117", close="121")
    profit, stop = sorted(seen(alice, entry)["legs"], key=lambda leg: leg["role"], reverse=True)
    assert (profit["role"], profit["status"], profit["average_price"]) == (
        "take_profit",
        "filled",
        "120",
    )
    assert (stop["status"], stop["status_reason"]) == ("canceled", "oco_sibling_filled")
    assert alice.get("positions/?open=true").json()["results"] == []


def test_when_both_legs_are_in_one_bar_the_stop_wins(house: House, market: Market) -> None:
    alice = house.alice
    account = open_account(alice)
    entry = bracket(alice, account, market)
    quiet(market)
    quiet(market)
    market.feed_bar(open="100", high="130", low="80", close="100")
    found = {leg["role"]: leg for leg in seen(alice, entry)["legs"]}
    assert found["stop_loss"]["average_price"] == "90"
    assert found["take_profit"]["status"] == "canceled"


def test_a_partial_profit_shrinks_the_stop(house: House, market: Market) -> None:
    alice = house.alice
    account = open_account(alice)
    entry = bracket(alice, account, market)
    quiet(market)
    quiet(market)
    market.feed_bar(open="118", high="121", low="117", close="121", volume="15")
    found = {leg["role"]: leg for leg in seen(alice, entry)["legs"]}
    assert found["take_profit"]["filled_quantity"] == "1.5"
    assert found["stop_loss"]["remaining_quantity"] == "0.5"
    assert locked_quantity(alice) == "0.5"
    market.feed_bar(open="95", high="96", low="80", close="85")
    found = {leg["role"]: leg for leg in seen(alice, entry)["legs"]}
    assert (found["stop_loss"]["filled_quantity"], found["stop_loss"]["average_price"]) == (
        "0.5",
        "90",
    )
    assert found["take_profit"]["status"] == "canceled"


def test_canceling_an_entry_ends_its_legs_and_canceling_a_leg_both(
    house: House, market: Market
) -> None:
    alice = house.alice
    account = open_account(alice)
    waiting = bracket(alice, account, market, type="limit", limit_price="95")
    assert alice.request("DELETE", f"orders/{waiting['id']}/").status_code == 200
    legs = seen(alice, waiting)["legs"]
    assert {(leg["status"], leg["status_reason"]) for leg in legs} == {
        ("canceled", "entry_not_filled")
    }
    entry = bracket(alice, account, market)
    quiet(market)
    leg = seen(alice, entry)["legs"][0]
    assert alice.request("DELETE", f"orders/{leg['id']}/").status_code == 200
    assert {leg["status"] for leg in seen(alice, entry)["legs"]} == {"canceled"}
    assert locked_quantity(alice) == "0"


def test_an_oco_closes_a_position_one_way_or_the_other(house: House, market: Market) -> None:
    alice = house.alice
    account = open_account(alice)
    holding(alice, account, market)
    oco = place(
        alice,
        account,
        market,
        side="sell",
        type="limit",
        quantity="2",
        limit_price="120",
        order_class="oco",
        stop_loss={"stop_price": "90"},
    )
    assert [leg["status"] for leg in oco["legs"]] == ["accepted"]
    assert locked_quantity(alice) == "2"
    quiet(market)
    market.feed_bar(open="95", high="96", low="80", close="85")
    done = seen(alice, oco)
    assert (done["status"], done["legs"][0]["status"]) == ("canceled", "filled")
    assert alice.get("positions/?open=true").json()["results"] == []


@pytest.mark.parametrize(
    "asked",
    [
        {"type": "stop"},
        {"type": "limit", "limit_price": "9", "stop_price": "9"},
        {"type": "trailing_stop"},
        {"type": "trailing_stop", "trail_amount": "1", "trail_percent": "1"},
        {"type": "trailing_stop", "trail_percent": "100"},
        {"type": "market", "post_only": True},
        {"type": "market", "side": "sell", "stop_loss": {"stop_price": "90"}},
        {"type": "market", "order_class": "bracket"},
        {
            "type": "market",
            "take_profit": {"limit_price": "90"},
            "stop_loss": {"stop_price": "90"},
        },
        {"type": "limit", "limit_price": "90", "order_class": "oco", "side": "sell"},
    ],
)
def test_an_order_that_contradicts_itself_is_refused_with_a_sentence(
    house: House, market: Market, asked: dict[str, Any]
) -> None:
    account = open_account(house.alice)
    body = {"account": account, "instrument": market.symbol, "side": "buy", "quantity": "1"}
    answer = house.alice.post("orders/", {**body, **asked})
    assert answer.status_code == 400, answer.json()
    assert answer.json()["errors"]


def test_reduce_only_sells_no_more_than_is_held_and_buys_nothing(
    house: House, market: Market
) -> None:
    alice = house.alice
    account = open_account(alice)
    body = {"account": account, "instrument": market.symbol, "type": "market", "quantity": "5"}
    for side in ("buy", "sell"):
        refused = alice.post("orders/", {**body, "side": side, "reduce_only": True})
        assert (refused.status_code, refused.json()["code"]) == (422, "nothing_to_reduce")
    holding(alice, account, market)
    order = alice.post("orders/", {**body, "side": "sell", "reduce_only": True}).json()
    assert order["quantity"] == "2"
    quiet(market)
    assert seen(alice, order)["status"] == "filled"


def test_a_replacement_takes_the_place_of_an_order_and_both_say_so(
    house: House, market: Market
) -> None:
    alice = house.alice
    account = open_account(alice, amount="1000")
    old = place(alice, account, market, side="buy", type="limit", quantity="5", limit_price="90")
    changed = alice.request("PATCH", f"orders/{old['id']}/", {"limit_price": "95"})
    new = changed.json()
    assert changed.status_code == 200, new
    assert (new["replaces"], new["limit_price"], new["quantity"]) == (old["id"], "95", "5")
    was = seen(alice, old)
    assert (was["status"], was["replaced_by"]) == ("replaced", new["id"])
    assert Decimal(balance(alice, account)["locked"]) == Decimal("475.95")
    again = alice.request("PATCH", f"orders/{old['id']}/", {"limit_price": "96"})
    assert (again.status_code, again.json()["code"]) == (409, "order_not_open")
    market.feed_bar(open="96", high="97", low="94", close="95")
    assert seen(alice, new)["status"] == "filled"


def test_a_replacement_asked_twice_of_the_version_that_was_read_is_answered_twice(
    house: House, market: Market
) -> None:
    """The first answer may have been lost on its way."""
    account = open_account(house.alice)
    order = place(
        house.alice, account, market, side="buy", type="limit", quantity="1", limit_price="50"
    )
    path, key = f"orders/{order['id']}/", uuid4().hex
    version = house.alice.get(path)["ETag"]
    given = {"If_Match": version, "Idempotency_Key": key}
    first, again = (
        house.alice.request("PATCH", path, {"limit_price": "51"}, **given) for _ in range(2)
    )
    assert first.status_code == again.status_code == 200, again.json()
    assert first.json() == again.json()
    stale = house.alice.request("PATCH", path, {"limit_price": "52"}, If_Match=version)
    assert stale.status_code == 412


def test_a_replacement_that_cannot_be_paid_leaves_the_order_as_it_was(
    house: House, market: Market
) -> None:
    alice = house.alice
    account = open_account(alice, amount="500")
    old = place(alice, account, market, side="buy", type="limit", quantity="5", limit_price="90")
    refused = alice.request("PATCH", f"orders/{old['id']}/", {"quantity": "50"})
    assert (refused.status_code, refused.json()["code"]) == (422, "insufficient_funds")
    assert seen(alice, old)["status"] == "accepted"


def test_a_leg_is_replaced_within_its_group(house: House, market: Market) -> None:
    alice = house.alice
    account = open_account(alice)
    entry = bracket(alice, account, market)
    quiet(market)
    profit = next(leg for leg in seen(alice, entry)["legs"] if leg["role"] == "take_profit")
    refused = alice.request("PATCH", f"orders/{profit['id']}/", {"quantity": "1"})
    assert refused.json()["code"] == "not_replaceable"
    changed = alice.request("PATCH", f"orders/{profit['id']}/", {"limit_price": "105"})
    assert changed.status_code == 200, changed.json()
    quiet(market)
    market.feed_bar(open="104", high="106", low="103", close="104")
    assert seen(alice, changed.json())["status"] == "filled"
    ended = {(leg["role"], leg["status"]) for leg in seen(alice, entry)["legs"]}
    assert ended == {
        ("take_profit", "replaced"),
        ("take_profit", "filled"),
        ("stop_loss", "canceled"),
    }
    assert alice.get("positions/?open=true").json()["results"] == []


def test_a_leg_that_waits_is_replaced_and_goes_on_waiting(house: House, market: Market) -> None:
    alice = house.alice
    account = open_account(alice)
    entry = bracket(alice, account, market)
    profit = next(leg for leg in entry["legs"] if leg["role"] == "take_profit")
    changed = alice.request("PATCH", f"orders/{profit['id']}/", {"limit_price": "105"})
    assert (changed.status_code, changed.json()["status"]) == (200, "initialized")
    quiet(market)
    market.feed_bar(open="104", high="106", low="103", close="104")
    assert seen(alice, changed.json())["status"] == "filled"
    assert seen(alice, profit)["status"] == "replaced"
    assert alice.get("positions/?open=true").json()["results"] == []


def test_a_preview_says_what_would_happen_and_does_nothing(house: House, market: Market) -> None:
    alice = house.alice
    account = open_account(alice, amount="1000")
    body = {"account": account, "instrument": market.symbol, "side": "buy", "type": "limit"}
    shown = alice.post("orders/preview/", {**body, "quantity": "5", "limit_price": "90"}).json()
    assert (shown["is_accepted"], shown["value"], shown["fee"]) == (True, "450", "0.9")
    assert shown["effect"]["free_before"] == "1000"
    assert Decimal(shown["effect"]["free_after"]) == 1000 - Decimal(shown["effect"]["locked"])
    refused = alice.post("orders/preview/", {**body, "quantity": "50", "limit_price": "90"}).json()
    assert [reason["code"] for reason in refused["reasons"]] == ["insufficient_funds"]
    assert alice.get("orders/").json()["results"] == []
    assert balance(alice, account) == {"total": "1000", "free": "1000", "locked": "0"}
    stranger = house.mallory.post("orders/preview/", {**body, "quantity": "5", "limit_price": "90"})
    assert stranger.status_code == 404


def test_a_price_with_a_zero_too_many_is_not_meant(house: House, market: Market) -> None:
    account = open_account(house.alice, amount="1000000")
    body = {"account": account, "instrument": market.symbol, "quantity": "1"}
    buy = {**body, "side": "buy", "type": "limit", "limit_price": "1001"}
    refused = house.alice.post("orders/", buy)
    assert (refused.status_code, refused.json()["code"]) == (422, "price_out_of_band")
    assert house.alice.post("orders/", {**buy, "limit_price": "1000"}).status_code == 201


def test_the_same_client_order_id_from_twenty_threads_is_one_order(
    house: House, market: Market
) -> None:
    account = open_account(house.alice)
    body = {"account": account, "instrument": market.symbol, "side": "buy", "type": "market"}
    asked = {**body, "quantity": "1", "client_order_id": str(uuid4())}
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: alone(house.alice, asked), range(20)))
    assert sorted(answer.status_code for answer in answers) == [200] * 19 + [201]
    assert len({answer.json()["id"] for answer in answers}) == 1
    other = house.alice.post("orders/", {**asked, "quantity": "2"})
    assert (other.status_code, other.json()["code"]) == (422, "client_order_id_reused")


def test_good_till_date_ends_by_the_clock(house: House, market: Market) -> None:
    alice = house.alice
    account = open_account(alice)
    ends = now() + timedelta(hours=1)
    order = place(
        alice,
        account,
        market,
        side="buy",
        type="limit",
        quantity="1",
        limit_price="90",
        time_in_force="gtd",
        expires_at=ends.isoformat(),
    )
    with job(house.tenant):
        assert actions.expire_due(now=ends - timedelta(seconds=1)) == 0
    with job(house.tenant):
        assert actions.expire_due(now=ends) == 1
    assert seen(alice, order)["status"] == "expired"
    assert balance(alice, account)["locked"] == "0"


def test_a_day_order_is_not_ended_by_the_clock_of_another_year(
    house: House, market: Market
) -> None:
    """Its day is the market's: a replay of history would end it at once."""
    alice = house.alice
    account = open_account(alice)
    order = place(
        alice,
        account,
        market,
        side="buy",
        type="limit",
        quantity="1",
        limit_price="90",
        time_in_force="day",
    )
    quiet(market)
    with job(house.tenant):
        actions.expire_due(now=now())
    assert seen(alice, order)["status"] == "accepted"
    for _ in range(24):
        quiet(market)
    assert seen(alice, order)["status"] == "expired"


def test_an_account_that_has_lost_enough_is_halted_and_out_of_the_market(
    house: House, market: Market
) -> None:
    alice = house.alice
    account = open_account(alice, amount="1000")
    alice.request("PUT", f"accounts/{account}/limits/", {"max_drawdown": "50"})
    holding(alice, account, market, quantity="5")
    resting = place(
        alice, account, market, side="buy", type="limit", quantity="1", limit_price="50"
    )
    place(alice, account, market, side="sell", type="market", quantity="2")
    market.feed_bar(open="80", high="81", low="79", close="80")
    halted = alice.get(f"accounts/{account}/").json()
    assert (halted["status"], halted["status_reason"]) == ("halted", "drawdown_limit")
    assert seen(alice, resting)["status_reason"] == "drawdown_limit"
    body = {"account": account, "instrument": market.symbol, "side": "buy", "type": "market"}
    refused = alice.post("orders/", {**body, "quantity": "1"})
    assert (refused.status_code, refused.json()["code"]) == (409, "account_halted")
    alice.request("PUT", f"accounts/{account}/limits/", {"max_drawdown": "500"})
    assert alice.post("orders/", {**body, "quantity": "1"}).status_code == 201


def test_a_cancel_meets_the_bar_that_was_stored_before_it(house: House, market: Market) -> None:
    """Between a bar's storing and its matching: the order had its chance, as a replay says."""
    alice = house.alice
    account = open_account(alice)
    order = place(alice, account, market, side="buy", type="market", quantity="1")
    bar = market.print_bar(open="101", high="102", low="100", close="101")
    refused = alice.request("DELETE", f"orders/{order['id']}/")
    assert (refused.status_code, refused.json()["code"]) == (409, "order_not_open")
    market.feed(bar)
    assert seen(alice, order)["status"] == "filled"
