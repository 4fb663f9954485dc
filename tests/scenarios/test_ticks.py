"""Ticks as a live feed: matched for every tenant as bars are, and beside them."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from tests.cast import House, Person, job, now
from tests.market import Market, list_instrument
from tests.scenarios.test_first_trade import balance, open_account
from tests.scenarios.test_index import limit_buy, woken
from tests.scenarios.test_order_types import bracket, holding, place, seen
from tests.scenarios.test_replay import asked, disturb, replayed
from tests.trading import books
from trading.market import actions as market_actions
from trading.market import queries
from trading.market.bars import Bar
from trading.market.models import Candle
from trading.market.models import Tick as StoredTick
from trading.market.places import Place
from trading.market.ticks import Tick
from trading.models import Fill, Order
from trading.orders import feed
from trading.orders.states import OPEN

pytestmark = pytest.mark.by_turns

__all__ = ["woken"]

OPENING = datetime(2024, 1, 1, 1, tzinfo=UTC)  # the end of the market's first bar
# In a campaign more of them.
SEEDS = range(1, 9) if "BOOKS_EXAMPLES" in os.environ else (1,)


@pytest.fixture
def market() -> Market:
    market = list_instrument()
    market.print_bar(open="100", high="101", low="99", close="100")
    return market


def tick(market: Market, price: str, quantity: str = "1000", *, minute: int = 0) -> Tick:
    return market.tick(OPENING + timedelta(minutes=minute), price, quantity)


def trade(market: Market, *prices: str) -> None:
    """Trades of the same moment, fed one after the other."""
    newest = queries.newest(market.symbol)
    at = OPENING if newest is None else newest.end
    for price in prices:
        market.feed(market.tick(at, price))


def told(person: Person, order: dict[str, Any]) -> tuple[str, str, str | None]:
    found = seen(person, order)
    return found["status"], found["filled_quantity"], found["average_price"]


@pytest.mark.parametrize(
    ("order", "prices", "price"),
    [
        ({"type": "market"}, ["102"], "102.06"),
        ({"type": "limit", "limit_price": "98"}, ["99", "98", "97"], "97"),
        ({"type": "limit", "limit_price": "98"}, ["97.5"], "97.5"),
        ({"type": "stop", "stop_price": "103"}, ["102.99", "103"], "103"),
        ({"type": "stop", "stop_price": "103"}, ["110"], "110"),
        (
            {"type": "stop_limit", "stop_price": "103", "limit_price": "101"},
            ["104", "100.5"],
            "100.5",
        ),
        ({"type": "trailing_stop", "trail_amount": "2"}, ["99", "97", "98", "99"], "99"),
        ({"type": "limit", "limit_price": "98", "time_in_force": "ioc"}, ["97"], "97"),
    ],
)
def test_an_order_is_filled_by_live_ticks(
    house: House, market: Market, order: dict[str, Any], prices: list[str], price: str
) -> None:
    alice = house.alice
    account = open_account(alice)
    placed = place(alice, account, market, side="buy", quantity="2", **order)
    trade(market, *prices[:-1])
    assert told(alice, placed)[1] == "0"
    trade(market, prices[-1])
    assert told(alice, placed) == ("filled", "2", price)
    assert balance(alice, account)["locked"] == "0"
    assert replayed(house, account)["instruments"] == {market.symbol: True}


def test_an_immediate_order_has_one_tick(house: House, market: Market) -> None:
    account = open_account(house.alice)
    order = {"type": "limit", "limit_price": "98", "time_in_force": "ioc"}
    placed = place(house.alice, account, market, side="buy", quantity="2", **order)
    trade(market, "99", "97")
    assert told(house.alice, placed) == ("expired", "0", None)


def test_an_order_with_a_date_ends_at_the_tick_that_reaches_it(
    house: House, market: Market
) -> None:
    """Ticks of the market's time, which may be ahead of the clock."""
    account, alice = open_account(house.alice), house.alice
    at = now() + timedelta(hours=1)
    order = {"type": "limit", "limit_price": "98", "time_in_force": "gtd"}
    order["expires_at"] = at.isoformat()
    placed = place(alice, account, market, side="buy", quantity="2", **order)
    market.feed(market.tick(at - timedelta(seconds=1), "99"))
    assert told(alice, placed)[0] == "accepted"
    market.feed(market.tick(at, "97"))
    assert told(alice, placed) == ("expired", "0", None)


def test_the_legs_of_a_bracket_start_after_the_tick_that_fills_their_entry(
    house: House, market: Market
) -> None:
    alice = house.alice
    account = open_account(alice)
    entry = bracket(alice, account, market)
    trade(market, "100")
    assert {leg["status"] for leg in seen(alice, entry)["legs"]} == {"accepted"}
    trade(market, "100", "121")
    legs = {leg["role"]: leg for leg in seen(alice, entry)["legs"]}
    profit = legs["take_profit"]
    assert (profit["status"], profit["average_price"]) == ("filled", "121")
    assert legs["stop_loss"]["status"] == "canceled"
    assert replayed(house, account)["instruments"] == {market.symbol: True}


def test_an_account_takes_its_share_of_each_tick(house: House, market: Market) -> None:
    alice = house.alice
    account = open_account(alice)
    placed = place(alice, account, market, side="buy", type="market", quantity="6")
    filled = []
    for quantity in ("25", "5", "1000"):
        market.feed(tick(market, "100", quantity))
        filled.append(told(alice, placed)[:2])
    assert filled == [("partially_filled", "2.5"), ("partially_filled", "3"), ("filled", "6")]
    with job(house.tenant):
        fills = Fill.objects.filter(account=account).order_by("id")
        assert [fill.source["tick"]["trade_id"] for fill in fills] == [1, 2, 3]
        assert fills[0].trade_id == f"{placed['id']}:{OPENING.isoformat()}:1"


def test_what_a_market_order_lacks_is_locked_at_the_tick_that_needs_it(
    house: House, market: Market
) -> None:
    alice = house.alice
    account = open_account(alice, amount="1000")
    placed = place(alice, account, market, side="buy", type="market", quantity="6")
    market.feed(tick(market, "130", "30"))
    market.feed(tick(market, "150", "1000"))
    assert told(alice, placed)[:2] == ("filled", "6")
    with job(house.tenant):
        order = Order.objects.get(pk=placed["id"])
        assert [key for key, _ in order.top_ups] == [
            f"{OPENING.isoformat()}:1",
            f"{OPENING.isoformat()}:2",
        ]
        books.check(account)
    assert replayed(house, account)["instruments"] == {market.symbol: True}


def test_the_same_tick_again_changes_nothing(house: House, market: Market) -> None:
    alice = house.alice
    account = open_account(alice)
    placed = place(alice, account, market, side="buy", type="market", quantity="6")
    first, second = tick(market, "100", "20"), tick(market, "100", "20")
    assert [market.feed(t) for t in (first, first, second, first, second)] == [1, 0, 1, 0, 0]
    assert told(alice, placed)[:2] == ("partially_filled", "4")


def test_an_order_between_two_ticks_of_one_moment_meets_the_later_only(
    house: House, market: Market
) -> None:
    alice = house.alice
    account = open_account(alice)
    trade(market, "95")
    placed = place(alice, account, market, side="buy", type="limit", quantity="1", limit_price="96")
    with job(house.tenant):
        order = Order.objects.get(pk=placed["id"])
        assert (order.placed_after, order.placed_trade) == (OPENING, 1)
    newest = queries.newest(market.symbol)
    assert newest is not None
    assert market.feed(newest) == 0
    assert market.feed(tick(market, "94")) == 1
    assert told(alice, placed)[2] == "94"
    assert replayed(house, account)["instruments"] == {market.symbol: True}


def test_a_tick_that_touches_nobody_wakes_nobody(
    house: House, market: Market, woken: list[Any]
) -> None:
    near, far = open_account(house.alice), open_account(house.mallory)
    limit_buy(house.alice, near, market, "95")
    limit_buy(house.mallory, far, market, "50")
    trade(market, "100")
    assert set(map(str, woken)) == {near, far}, "a new order meets what comes next"
    woken.clear()
    trade(market, "99", "96")
    assert woken == []
    trade(market, "94")
    assert list(map(str, woken)) == [near]


def test_a_bar_over_ticks_is_stored_and_met_by_nobody(
    house: House, market: Market, woken: list[Any]
) -> None:
    """The ticks told more; so bars that a feed adds up from its own ticks double nothing."""
    alice = house.alice
    account = open_account(alice)
    early = limit_buy(alice, account, market, "90")
    for minute, price in enumerate(("100", "95", "98")):
        market.feed(tick(market, price, minute=minute))
    late = limit_buy(alice, account, market, "96")
    woken.clear()
    over = market.feed_bar(open="100", high="100", low="80", close="98")
    assert woken == []
    assert {told(alice, order)[0] for order in (early, late)} == {"accepted"}
    place_of_last = Place(OPENING + timedelta(minutes=2), trade_id=3)
    assert queries.quote(market.symbol).place == place_of_last
    assert Candle.objects.filter(symbol=market.symbol, start=over.start).exists()
    after = market.feed_bar(open="98", high="98", low="95", close="97")
    assert told(alice, late) == ("filled", "1", "96")
    newest = queries.quote(market.symbol)
    assert (newest.price, newest.place) == (Decimal(97), after.place)
    assert replayed(house, account)["instruments"] == {market.symbol: True}


def test_a_tick_that_comes_late_is_history(house: House, market: Market) -> None:
    alice = house.alice
    account = open_account(alice)
    placed = limit_buy(alice, account, market, "95")
    market.feed(tick(market, "100", minute=5))
    below = [tick(market, "94", minute=4), market.tick(OPENING - timedelta(seconds=1), "94")]
    assert [market.feed(late) for late in (*below, *below)] == [0] * 4
    assert told(alice, placed)[0] == "accepted"
    assert StoredTick.objects.filter(symbol=market.symbol).count() == 3
    assert queries.quote(market.symbol).price == 100
    trade(market, "94")
    assert told(alice, placed)[0] == "filled"
    assert replayed(house, account)["instruments"] == {market.symbol: True}


def test_a_bar_that_comes_after_later_ticks_is_history(house: House, market: Market) -> None:
    """Those that the ticks touched would miss it, and a replay could not know."""
    alice = house.alice
    account = open_account(alice)
    placed = limit_buy(alice, account, market, "95")
    quiet_hour = market.bar(open="100", high="100", low="90", close="100")
    market.feed(market.tick(quiet_hour.end, "100"))
    assert market.feed(quiet_hour) == 0
    assert told(alice, placed)[0] == "accepted"
    trade(market, "94")
    assert replayed(house, account)["instruments"] == {market.symbol: True}


def test_history_that_is_loaded_later_changes_no_past(house: House, market: Market) -> None:
    """Ticks of the hour that a bar has told, or is about to tell, were matched for nobody."""
    alice = house.alice
    account = open_account(alice)
    placed = limit_buy(alice, account, market, "95")
    bar = market.bar(open="100", high="100", low="90", close="97")
    market_actions.load_ticks([market.tick(bar.start + timedelta(minutes=n), "97") for n in (1, 2)])
    assert queries.quote(market.symbol).price == 100
    assert market.feed(bar) == 1
    market_actions.load_ticks([market.tick(bar.start + timedelta(minutes=9), "90")])
    assert told(alice, placed) == ("filled", "1", "95")
    assert replayed(house, account)["instruments"] == {market.symbol: True}


def test_whoever_cancels_between_storing_and_matching_ends_after_the_tick(
    house: House, market: Market
) -> None:
    alice = house.alice
    account = open_account(alice)
    trade(market, "100")
    reached, spared, changed = (limit_buy(alice, account, market, p) for p in ("97", "90", "89"))
    market_actions.put(tick(market, "96"))
    refused = alice.request("DELETE", f"orders/{reached['id']}/")
    assert (refused.status_code, refused.json()["code"]) == (409, "order_not_open")
    assert alice.request("DELETE", f"orders/{spared['id']}/").status_code == 200
    other = alice.request("PATCH", f"orders/{changed['id']}/", {"limit_price": "97"}).json()
    assert told(alice, reached) == ("filled", "1", "96"), "who canceled the next met it as well"
    assert feed.recover([market.symbol], now=now()) == 0
    with job(house.tenant):
        ended = Order.objects.filter(pk__in=[spared["id"], changed["id"]])
        assert set(ended.values_list("ended_after", "ended_trade")) == {(OPENING, 2)}
        replacement = Order.objects.get(pk=other["id"])
        assert (replacement.placed_after, replacement.placed_trade) == (OPENING, 2)
    trade(market, "88")
    assert told(alice, other) == ("filled", "1", "88")
    assert replayed(house, account)["instruments"] == {market.symbol: True}


def test_an_account_that_starts_over_meets_the_newest_tick_first(
    house: House, market: Market
) -> None:
    alice = house.alice
    account = open_account(alice)
    holding(alice, account, market)
    bought, spared = (limit_buy(alice, account, market, price) for price in ("97", "90"))
    bar = queries.newest(market.symbol)
    assert bar is not None
    market_actions.put(market.tick(bar.end, "96"))
    body = {"currency": "USD", "amount": "7"}
    assert alice.post(f"accounts/{account}/reset/", body).status_code == 200
    assert told(alice, bought) == ("filled", "1", "96")
    assert told(alice, spared)[0] == "canceled"
    assert balance(alice, account)["total"] == "7"
    with job(house.tenant):
        assert [f.price for f in Fill.objects.filter(account=account, side="sell")] == [96]
        books.check(account)
    assert feed.recover([market.symbol], now=now()) == 0
    assert replayed(house, account)["instruments"] == {market.symbol: True}


def test_a_tick_stored_by_a_feed_that_died_is_matched_by_the_next(
    house: House, market: Market
) -> None:
    account = open_account(house.alice)
    placed = place(house.alice, account, market, side="buy", type="market", quantity="1")
    market_actions.put(tick(market, "101"))
    assert told(house.alice, placed)[0] == "accepted"
    assert feed.recover([market.symbol], now=now()) == 1
    assert feed.recover([market.symbol], now=now()) == 0
    assert told(house.alice, placed)[0] == "filled"


def test_a_file_of_ticks_is_fed(house: House, market: Market, tmp_path: Path) -> None:
    account = open_account(house.alice)
    placed = place(house.alice, account, market, side="buy", type="market", quantity="3")
    file = tmp_path / "ticks.csv"
    lines = ["at,price,quantity,side,trade_id,is_buyer_maker"]
    lines += [f"{OPENING.isoformat()},100,20,buy,{number},false" for number in (7, 8, 9)]
    file.write_text("\n".join(lines) + "\n")

    def run() -> Any:
        out = StringIO()
        call_command("feed_ticks", str(file), "--symbol", market.symbol, "--json", stdout=out)
        return json.loads(out.getvalue())

    assert run() == {"symbol": market.symbol, "ticks": 3, "fills": 2}
    assert run() == {"symbol": market.symbol, "ticks": 3, "fills": 0}
    assert told(house.alice, placed)[:2] == ("filled", "3")


def course(dice: random.Random, market: Market, tape: str) -> Iterator[Bar | Tick]:
    """Hours told by a bar, by ticks, or by ticks and then their bar."""
    last = Decimal(100)
    while True:
        steps = [Decimal(dice.randint(-12, 12)) / 4 for _ in range(dice.randint(3, 6))]
        prices = [max(last + sum(steps[:n], Decimal(0)), Decimal(40)) for n in range(len(steps))]
        last = prices[-1]
        numbers = [prices[0], max(prices), min(prices) - dice.randint(0, 2), last]
        named = zip(("open", "high", "low", "close"), map(str, numbers), strict=True)
        bar = market.bar(**dict(named), volume=dice.choice(("0", "25", "1000")))
        by_ticks = tape == "ticks" or (tape == "both" and dice.random() < 0.6)
        if by_ticks:
            moments = sorted(dice.choice(range(0, 60, 10)) for _ in prices)
            for minute, price in zip(moments, prices, strict=True):
                at = bar.start + timedelta(minutes=minute)
                yield market.tick(at, str(price), dice.choice(("5", "25", "1000")))
        if tape == "bars" or (tape == "both" and (not by_ticks or dice.random() < 0.5)):
            yield bar


@pytest.mark.parametrize("tape", ["ticks", "bars", "both"])
@pytest.mark.parametrize("seed", SEEDS)
def test_a_random_trader_s_fills_are_made_again_from_the_tape(
    house: House, market: Market, tape: str, seed: int
) -> None:
    alice, dice = house.alice, random.Random(seed)
    account = open_account(alice, amount="2500")
    placed = 0
    for printed, _ in zip(course(dice, market, tape), range(40), strict=False):
        last = int(queries.quote(market.symbol).price or 0)
        for _ in range(dice.randint(0, 2)):
            body = {"account": account, "instrument": market.symbol, **asked(dice, last)}
            placed += alice.post("orders/", body).status_code == 201
        disturb(dice, alice, account)
        market.feed(printed)
    assert replayed(house, account)["instruments"] == {market.symbol: True}
    with job(house.tenant):
        books.check(account)
        fills = Fill.objects.filter(account=account)
        kinds = {kind for source in fills.values_list("source", flat=True) for kind in source}
        ended = Order.objects.filter(account=account).exclude(status__in=OPEN)
        assert ended.exclude(ended_after=None).exists()
    made = {"ticks": {"tick"}, "bars": {"bar"}, "both": {"tick", "bar"}}
    assert kinds & {"tick", "bar"} == made[tape]
    assert placed > 10
