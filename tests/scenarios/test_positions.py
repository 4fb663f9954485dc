"""A position's own life, by API: lots, more funds, limits, the close, and what is written of it."""

from __future__ import annotations

import random
from decimal import Decimal
from itertools import count
from typing import Any
from uuid import uuid4

import pytest
from django.db import IntegrityError, ProgrammingError

from tests.accounts.doors import post, stepped_up
from tests.cast import House, Person, job
from tests.market import Market, list_instrument
from tests.scenarios.test_first_trade import balance, open_account
from tests.scenarios.test_order_types import bracket, holding, place, quiet, seen
from tests.scenarios.test_replay import asked, disturb, walk
from trading.market.actions import ensure_instrument
from trading.market.models import Instrument
from trading.models import DecisionLog, Fill, Order, Position, PositionLot
from trading.orders.states import OPEN
from trading.positions import queries

pytestmark = pytest.mark.by_turns


@pytest.fixture
def market() -> Market:
    market = list_instrument()
    market.print_bar(open="100", high="101", low="99", close="100")
    return market


def the_position(person: Person, account: str) -> dict[str, Any]:
    (found,) = person.get(f"positions/?account={account}&open=true").json()["results"]
    return dict(found)


def held(person: Person, market: Market, quantity: str = "4") -> tuple[str, str]:
    """An account, and its position of a few at 100."""
    account = open_account(person)
    holding(person, account, market, quantity)
    return account, the_position(person, account)["id"]


def an_account(person: Person, method: str, amount: str = "10000") -> str:
    body = {"name": f"{method} {uuid4().hex[:6]}", "cost_method": method}
    account = str(person.post("accounts/", body).json()["id"])
    money = {"currency": "USD", "amount": amount}
    assert person.post(f"accounts/{account}/deposit/", money).status_code == 201
    return account


def lots(house: House, account: str) -> list[tuple[str, str, str]]:
    with job(house.tenant):
        rows = PositionLot.objects.filter(position__account=account).order_by("fill_id")
        numbers = list(rows.values_list("price", "quantity", "remaining"))
    return [tuple(f"{number.normalize():f}" for number in row) for row in numbers]


@pytest.mark.parametrize("method", ["average", "fifo"])
def test_each_purchase_is_a_lot_and_a_sale_takes_the_oldest(
    house: House, market: Market, method: str
) -> None:
    alice = house.alice
    account = an_account(alice, method)
    for price in ("95", "90"):
        place(alice, account, market, side="buy", type="limit", quantity="2", limit_price=price)
    market.feed_bar(open="96", high="96", low="80", close="90")
    place(alice, account, market, side="sell", type="market", quantity="3")
    quiet(market)
    assert lots(house, account) == [("95", "2", "0"), ("90", "2", "1")]
    position = the_position(alice, account)
    cost = {"average": "92.5", "fifo": "90"}[method]
    assert (position["cost_basis"], position["average_price"]) == (cost, cost)


def test_both_ways_to_count_cost_come_to_the_same_once_all_is_sold(
    house: House, market: Market
) -> None:
    alice, dice, last = house.alice, random.Random(4), 100
    accounts = [an_account(alice, method) for method in ("average", "fifo")]
    for _ in range(12):
        quantity = str(dice.randint(1, 5))
        for account in accounts:
            body = {"account": account, "instrument": market.symbol, "type": "market"}
            alice.post("orders/", {**body, "side": "buy", "quantity": quantity})
        last = max(walk(dice, market, last), 40)
        for account in accounts:
            body = {"account": account, "instrument": market.symbol, "type": "market"}
            part = str(int(quantity) - 1 or 1)
            alice.post("orders/", {**body, "side": "sell", "quantity": part})
        last = max(walk(dice, market, last), 40)
    for account in accounts:
        assert (
            alice.post(f"positions/{the_position(alice, account)['id']}/close/", {}).status_code
            == 201
        )
    for _ in range(20):
        quiet(market)
    with job(house.tenant):
        totals = [
            {
                (p.quantity, p.cost_basis, p.realized_pnl, p.fees)
                for p in Position.objects.filter(account=account)
            }
            for account in accounts
        ]
    assert totals[0] == totals[1]
    assert next(iter(totals[0]))[:2] == (0, 0)


@pytest.mark.parametrize(("method", "seed"), [("average", 3), ("fifo", 5)])
def test_after_a_random_trader_the_books_balance(
    house: House, market: Market, method: str, seed: int
) -> None:
    alice, dice, last = house.alice, random.Random(seed), 100
    account = an_account(alice, method, "3000")
    for _ in range(25):
        for _ in range(dice.randint(0, 3)):
            body = {"account": account, "instrument": market.symbol, **asked(dice, last)}
            alice.post("orders/", body)
        disturb(dice, alice, account)
        last = max(walk(dice, market, last), 40)
    with job(house.tenant):
        assert list(queries.unbalanced()) == []
        fills = list(Fill.objects.filter(account=account))
        positions = list(Position.objects.filter(account=account))
        sales = {order.id: order for order in Order.objects.filter(account=account, side="sell")}
    assert len(fills) > 5
    signed = sum(f.quantity if f.side == "buy" else -f.quantity for f in fills)
    assert signed == sum(position.quantity for position in positions)
    locked = sum(order.locked for order in sales.values() if order.status in OPEN)
    assert locked == sum(position.locked_quantity for position in positions)
    paid = sum((f.quantity * f.price) * (1 if f.side == "sell" else -1) - f.fee for f in fills)
    assert Decimal(balance(alice, account)["total"]) == 3000 + paid
    realized = sum(f.realized_pnl for f in fills)
    assert realized == sum(position.realized_pnl for position in positions)
    basis = sum(position.cost_basis for position in positions)
    assert 3000 + paid + basis == 3000 + realized - sum(f.fee for f in fills)


def test_the_check_of_the_books_finds_what_does_not_balance(house: House, market: Market) -> None:
    account, _ = held(house.alice, market)
    with job(house.tenant):
        assert not queries.unbalanced().exists()
        PositionLot.objects.filter(position__account=account).update(remaining=1)
        assert [str(p.account_id) for p in queries.unbalanced()] == [account]


def test_a_lot_holds_no_more_than_was_bought(house: House, market: Market) -> None:
    account, _ = held(house.alice, market)
    for remaining in (5, -1):
        with (
            pytest.raises(IntegrityError, match="lot_remaining_within_quantity"),
            job(house.tenant),
        ):
            PositionLot.objects.filter(position__account=account).update(remaining=remaining)


def test_the_trades_of_a_position_are_its_fills_alone(house: House, market: Market) -> None:
    alice = house.alice
    account, position = held(alice, market)
    place(alice, account, market, side="sell", type="market", quantity="4")
    quiet(market)
    holding(alice, account, market, "1")
    rows = alice.get(f"positions/{position}/trades/?ordering=executed_at").json()["results"]
    assert [(row["side"], row["quantity"]) for row in rows] == [("buy", "4"), ("sell", "4")]
    sold = alice.get(f"positions/{position}/trades/?side=sell").json()["results"]
    assert [row["side"] for row in sold] == ["sell"]
    with job(house.tenant):
        assert not Fill.objects.filter(account=account, recorded_at=None).exists()


@pytest.mark.parametrize(
    ("body", "kind", "quantity"),
    [
        ({"amount": "200"}, "market", "2"),
        ({"quantity": "3"}, "market", "3"),
        ({"amount": "180", "limit_price": "90"}, "limit", "2"),
        ({"quantity": "1", "limit_price": "90"}, "limit", "1"),
    ],
)
def test_added_funds_are_an_order_for_the_same_instrument_and_account(
    house: House, market: Market, body: dict[str, str], kind: str, quantity: str
) -> None:
    account, position = held(house.alice, market)
    answer = house.alice.post(f"positions/{position}/add-funds/", body)
    assert answer.status_code == 201, answer.json()
    order = answer.json()
    assert (order["account"], order["instrument"]) == (account, market.symbol)
    assert (order["side"], order["type"], order["quantity"]) == ("buy", kind, quantity)


@pytest.mark.parametrize("body", [{}, {"amount": "1", "quantity": "1"}, {"amount": "-1"}])
def test_funds_are_an_amount_or_a_quantity(
    house: House, market: Market, body: dict[str, str]
) -> None:
    _, position = held(house.alice, market)
    assert house.alice.post(f"positions/{position}/add-funds/", body).status_code == 400


def test_the_same_key_adds_funds_once(house: House, market: Market) -> None:
    account, position = held(house.alice, market)
    key = {"Idempotency_Key": uuid4().hex}
    path = f"positions/{position}/add-funds/"
    first, again = (house.alice.post(path, {"amount": "100"}, **key) for _ in range(2))
    assert first.json() == again.json()
    other = house.alice.post(path, {"amount": "101"}, **key)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    assert len(house.alice.get(f"orders/?account={account}&status=accepted").json()["results"]) == 1


def test_limits_of_a_position_are_placed_changed_and_cancelled(
    house: House, market: Market
) -> None:
    alice = house.alice
    account, position = held(alice, market)
    path = f"positions/{position}/limit-orders/"
    half = alice.post(path, {"percent": "50", "limit_price": "120"})
    assert half.status_code == 201, half.json()
    assert (half.json()["side"], half.json()["quantity"]) == ("sell", "2")
    one = alice.post(path, {"quantity": "1", "limit_price": "130"}).json()
    place(alice, account, market, side="sell", type="stop", quantity="1", stop_price="80")
    listed = alice.get(f"{path}?ordering=created_at").json()["results"]
    assert [row["id"] for row in listed] == [half.json()["id"], one["id"]], "a stop is no limit"
    too_much = alice.post(path, {"quantity": "1", "limit_price": "130"})
    assert (too_much.status_code, too_much.json()["code"]) == (422, "insufficient_position")

    etag = alice.get(f"orders/{one['id']}/")["ETag"]
    changed = alice.request("PATCH", f"{path}{one['id']}/", {"limit_price": "140"}, If_Match=etag)
    assert changed.status_code == 200, changed.json()
    assert (changed.json()["replaces"], changed.json()["quantity"]) == (one["id"], "1")
    stale = alice.request(
        "PATCH", f"{path}{changed.json()['id']}/", {"limit_price": "150"}, If_Match=etag
    )
    assert stale.status_code == 412

    gone = alice.request("DELETE", f"{path}{half.json()['id']}/")
    assert gone.json()["status"] == "canceled"
    left = alice.request("DELETE", path).json()
    assert [row["id"] for row in left] == [changed.json()["id"]]
    assert alice.get(path).json()["results"] == []
    assert the_position(alice, account)["locked_quantity"] == "1", "the stop stays"


def test_a_limit_far_under_the_market_is_not_meant(house: House, market: Market) -> None:
    alice = house.alice
    _, position = held(alice, market)
    path = f"positions/{position}/limit-orders/"
    body = {"percent": "25", "limit_price": "94.99"}
    refused = alice.post(path, body)
    assert (refused.status_code, refused.json()["code"]) == (422, "slippage_too_high")
    assert alice.post(path, {**body, "max_slippage_bps": "501"}).status_code == 201
    assert alice.post(path, {**body, "slippage_check": False}).status_code == 201
    placed = alice.post(path, {**body, "limit_price": "95"}).json()
    lower = alice.request("PATCH", f"{path}{placed['id']}/", {"limit_price": "90"})
    assert (lower.status_code, lower.json()["code"]) == (422, "slippage_too_high")
    assert seen(alice, placed)["status"] == "accepted"


def test_an_order_of_another_position_is_none_of_this_one(house: House, market: Market) -> None:
    alice = house.alice
    _, position = held(alice, market)
    body = {"name": "second"}
    second = str(alice.post("accounts/", body).json()["id"])
    alice.post(f"accounts/{second}/deposit/", {"currency": "USD", "amount": "5000"})
    holding(alice, second, market)
    theirs = place(
        alice, second, market, side="sell", type="limit", quantity="1", limit_price="120"
    )
    buy = place(alice, second, market, side="buy", type="limit", quantity="1", limit_price="90")
    for other in (theirs["id"], buy["id"], str(uuid4()), "-" * 36):
        path = f"positions/{position}/limit-orders/{other}/"
        assert alice.request("DELETE", path).status_code == 404
        assert alice.request("PATCH", path, {"limit_price": "120"}).status_code == 404


def test_a_close_takes_back_the_sells_and_is_told_apart(house: House, market: Market) -> None:
    alice = house.alice
    account, position = held(alice, market)
    resting = alice.post(
        f"positions/{position}/limit-orders/", {"percent": "100", "limit_price": "150"}
    ).json()
    buy = place(alice, account, market, side="buy", type="limit", quantity="1", limit_price="50")
    closing = alice.post(f"positions/{position}/close/", {})
    assert closing.status_code == 201, closing.json()
    order = closing.json()
    assert (order["type"], order["quantity"], order["reduce_only"]) == ("market", "4", True)
    assert seen(alice, resting)["status"] == "canceled"
    assert seen(alice, buy)["status"] == "accepted"
    quiet(market, "110")
    closed = alice.get(f"positions/{position}/").json()
    assert (closed["quantity"], closed["closed_by"]) == ("0", "manual")
    for path, body in (("close", {}), ("add-funds", {"amount": "1"})):
        refused = alice.post(f"positions/{position}/{path}/", body)
        assert (refused.status_code, refused.json()["code"]) == (409, "position_closed")
    assert alice.get(f"positions/{position}/limit-orders/").json()["results"] == []


def test_a_part_is_closed_at_a_limit_which_is_changed_and_still_manual(
    house: House, market: Market
) -> None:
    alice = house.alice
    _, position = held(alice, market)
    half = alice.post(f"positions/{position}/close/", {"percent": "50"}).json()
    assert half["quantity"] == "2"
    quiet(market)
    limit = {"type": "limit", "limit_price": "120"}
    rest = alice.post(f"positions/{position}/close/", limit).json()
    assert (rest["quantity"], rest["limit_price"]) == ("2", "120")
    path = f"positions/{position}/limit-orders/{rest['id']}/"
    assert alice.request("PATCH", path, {"limit_price": "110"}).status_code == 200
    market.feed_bar(open="105", high="115", low="105", close="112")
    assert alice.get(f"positions/{position}/").json()["closed_by"] == "manual"


def test_a_position_that_any_other_order_ends_is_not_closed_by_hand(
    house: House, market: Market
) -> None:
    alice = house.alice
    account, position = held(alice, market)
    assert alice.get(f"positions/{position}/").json()["closed_by"] is None
    limit = {"type": "limit", "limit_price": "150"}
    closing = alice.post(f"positions/{position}/close/", limit).json()
    alice.request("DELETE", f"orders/{closing['id']}/")
    place(alice, account, market, side="sell", type="market", quantity="4")
    quiet(market)
    assert alice.get(f"positions/{position}/").json()["closed_by"] == "order"


@pytest.mark.parametrize(
    "body",
    [
        {"quantity": "1", "percent": "1"},
        {"percent": "101"},
        {"type": "limit"},
        {"limit_price": "100"},
        {"type": "stop"},
    ],
)
def test_a_close_that_contradicts_itself_is_refused(
    house: House, market: Market, body: dict[str, str]
) -> None:
    _, position = held(house.alice, market)
    assert house.alice.post(f"positions/{position}/close/", body).status_code == 400


def test_a_refused_close_leaves_the_sells_in_the_market(house: House, market: Market) -> None:
    alice = house.alice
    _, position = held(alice, market)
    path = f"positions/{position}/limit-orders/"
    resting = alice.post(path, {"percent": "100", "limit_price": "150"}).json()
    refused = alice.post(f"positions/{position}/close/", {"quantity": "0.0001"})
    assert (refused.status_code, refused.json()["code"]) == (422, "quantity_too_small")
    assert seen(alice, resting)["status"] == "accepted"


def test_a_bracket_leaves_its_exits_with_the_position_it_opened(
    house: House, market: Market
) -> None:
    alice = house.alice
    account = open_account(alice)
    bracket(alice, account, market)
    quiet(market)
    position = the_position(alice, account)
    assert position["bracket"] == {"take_profit": "120", "stop_loss": "90"}
    assert position["perpetual"] is None
    holding(alice, account, market, "1")
    listed = alice.get("positions/").json()["results"]
    assert [row["bracket"] for row in listed] == [position["bracket"]]


def test_a_position_that_no_bracket_opened_has_no_exits(house: House, market: Market) -> None:
    alice = house.alice
    account, _ = held(alice, market)
    bracket(alice, account, market)
    quiet(market)
    assert the_position(alice, account)["bracket"] is None


def test_the_terms_of_a_perpetual_are_written_and_shown(house: House, market: Market) -> None:
    alice = house.alice
    _, position = held(alice, market)
    path = f"positions/{position}/perpetual/"
    terms = {"leverage": "3", "margin_mode": "isolated", "liquidation_price": "70"}
    for more in ({}, {"funding_paid": "-1.5"}):
        answer = alice.request("PUT", path, {**terms, **more})
        assert answer.status_code == 200, answer.json()
    shown = {**terms, "funding_paid": "-1.5"}
    assert answer.json()["perpetual"] == shown
    assert alice.get(f"positions/{position}/").json()["perpetual"] == shown
    for wrong in ({"leverage": "0.5"}, {"margin_mode": "none"}, {"liquidation_price": "0"}):
        assert alice.request("PUT", path, {**terms, **wrong}).status_code == 400


def test_decisions_are_kept_listed_and_never_changed(house: House, market: Market) -> None:
    alice = house.alice
    _, position = held(alice, market)
    path = f"positions/{position}/ai-logs/"
    for name in ("one", "two", "one"):
        said = {"model": name, "context": {"rsi": 28.5}, "thinking": "low", "decision": "hold"}
        made = alice.post(path, said)
        assert made.status_code == 201, made.json()
    assert made.json()["decision"] == "hold"
    assert [row["model"] for row in alice.get(path).json()["results"]] == ["one", "two", "one"]
    assert len(alice.get(f"{path}?model=one").json()["results"]) == 2
    page = alice.get(f"{path}?page_size=2&ordering=at").json()
    assert page["next"]
    for large in ({"thinking": "x" * 40_000}, {"context": ["x" * 40_000]}, {"decision": None}):
        assert alice.post(path, {**said, **large}).status_code == 400
    with pytest.raises(ProgrammingError, match="permission denied"), job(house.tenant):
        DecisionLog.objects.filter(position=position).update(thinking="high")


def a_reference(currency: str, price: str) -> None:
    """What one BTC costs in a currency of the test's own."""
    market = Market(f"BTC/{currency}", count())
    ensure_instrument(
        Instrument(
            symbol=market.symbol,
            name=market.symbol,
            asset_class="crypto",
            base="BTC",
            quote=currency,
            price_increment=Decimal("0.01"),
            quantity_increment=Decimal("0.001"),
            min_quantity=Decimal("0.001"),
        )
    )
    market.print_bar(open=price, high=price, low=price, close=price)


def test_the_reference_is_noted_at_open_and_close(house: House, market: Market) -> None:
    """One BTC in the account's own currency, whatever the instrument is priced in."""
    alice, currency = house.alice, f"Q{uuid4().hex[:8].upper()}"
    a_reference(currency, "40000")
    body = {"name": "other money", "currency": currency}
    account = str(alice.post("accounts/", body).json()["id"])
    alice.post(f"accounts/{account}/deposit/", {"currency": "USD", "amount": "1000"})
    holding(alice, account, market)
    position = the_position(alice, account)
    prices = (position["opened_reference_price"], position["closed_reference_price"])
    assert prices == ("40000", None)
    place(alice, account, market, side="sell", type="market", quantity="2")
    quiet(market)
    closed = alice.get(f"positions/{position['id']}/").json()
    assert closed["closed_reference_price"] == "40000"


def test_without_a_price_of_the_reference_nothing_is_noted(house: House, market: Market) -> None:
    body = {"name": "other money", "currency": f"Q{uuid4().hex[:8].upper()}"}
    account = str(house.alice.post("accounts/", body).json()["id"])
    house.alice.post(f"accounts/{account}/deposit/", {"currency": "USD", "amount": "1000"})
    holding(house.alice, account, market)
    assert the_position(house.alice, account)["opened_reference_price"] is None


PATHS = (
    ("GET", "trades/", None),
    ("GET", "ai-logs/", None),
    ("POST", "ai-logs/", {"model": "m", "decision": "d"}),
    ("PUT", "perpetual/", {"leverage": "1", "margin_mode": "cross"}),
    ("POST", "add-funds/", {"amount": "1"}),
    ("GET", "limit-orders/", None),
    ("POST", "limit-orders/", {"percent": "1", "limit_price": "120"}),
    ("DELETE", "limit-orders/", None),
    ("PATCH", "limit-orders/{order}/", {"limit_price": "130"}),
    ("DELETE", "limit-orders/{order}/", None),
    ("POST", "close/", {}),
)


@pytest.mark.parametrize(("method", "path", "body"), PATHS)
def test_strangers_find_no_position(
    house: House, market: Market, method: str, path: str, body: Any
) -> None:
    alice = house.alice
    _, position = held(alice, market)
    limit = {"percent": "100", "limit_price": "150"}
    order = alice.post(f"positions/{position}/limit-orders/", limit).json()
    full = f"positions/{position}/{path.format(order=order['id'])}"
    for stranger in (house.bob, house.mallory):
        assert stranger.request(method, full, body).status_code == 404
    if method != "GET":
        assert house.vera.request(method, full, body).status_code == 403
    assert seen(alice, order)["status"] == "accepted"


def test_a_stranger_reaches_no_order_through_a_position_of_his_own(
    house: House, market: Market
) -> None:
    _, hers = held(house.alice, market)
    _, his = held(house.bob, market)
    limit = {"percent": "100", "limit_price": "150"}
    order = house.alice.post(f"positions/{hers}/limit-orders/", limit).json()
    path = f"positions/{his}/limit-orders/{order['id']}/"
    assert house.bob.request("DELETE", path).status_code == 404
    assert seen(house.alice, order)["status"] == "accepted"


def test_who_is_in_charge_closes_a_traders_position(house: House, market: Market) -> None:
    _, position = held(house.alice, market)
    assert house.olga.post(f"positions/{position}/close/", {}).status_code == 201
    quiet(market)
    assert house.alice.get(f"positions/{position}/").json()["closed_by"] == "manual"


def test_a_key_of_one_account_stays_in_it(house: House, market: Market) -> None:
    alice = house.alice
    account, position = held(alice, market)
    other = str(alice.post("accounts/", {"name": "other"}).json()["id"])
    keys = {}
    for name, bound in (("here", account), ("there", other)):
        body = {"name": name, "scope": "trade", "account": bound}
        made = post("api-keys/", body, credential=stepped_up(alice))
        assert made.status_code == 201, made.json()
        keys[name] = f"Api-Key {made.json()['key']}"
    path = f"positions/{position}/close/"
    assert post(path, {"percent": "25"}, credential=keys["there"]).status_code == 404
    assert post(path, {"percent": "25"}, credential=keys["here"]).status_code == 201
