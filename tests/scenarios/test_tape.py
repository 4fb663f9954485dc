"""The tape is what was fed and nothing else: live and replayed, everybody meets it in its order."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from functools import partial
from io import StringIO
from itertools import pairwise
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.core.management import call_command
from django.db import OperationalError, connection
from psycopg.errors import QueryCanceled

from tests.cast import House, job, now
from tests.market import Market, list_instrument
from tests.scenarios.crashes import interrupted
from tests.scenarios.test_first_trade import balance, open_account
from tests.scenarios.test_index import limit_buy
from tests.scenarios.test_order_types import holding, place, quiet, seen
from tests.scenarios.test_replay import replayed
from tests.trading import books
from trading.market import actions as market_actions
from trading.market import queries
from trading.market.actions import Loaded
from trading.market.bars import Bar
from trading.market.models import Candle
from trading.models import Fill, Notification, Order
from trading.orders import execution, feed
from trading.orders.tasks import match_what_is_left

pytestmark = pytest.mark.by_turns

HOUR = timedelta(hours=1)


@pytest.fixture
def market() -> Market:
    market = list_instrument()
    market.feed_bar(open="100", high="101", low="99", close="100")
    return market


def deep(market: Market) -> Bar:
    """The next hour's bar, which would fill whatever buys at 95."""
    return market.bar(open="97", high="98", low="80", close="96")


def is_replayed(house: House, account: str, market: Market) -> bool:
    with job(house.tenant):
        books.check(account)
    return replayed(house, account)["instruments"] == {market.symbol: True}


def test_what_is_loaded_is_met_by_nobody_live_or_replayed(house: House, market: Market) -> None:
    """A gap that is filled, another timeframe, and history that lies ahead of the tape."""
    alice = house.alice
    account = open_account(alice)
    resting = limit_buy(alice, account, market, "95")
    taken_back = limit_buy(alice, account, market, "94")
    gap = deep(market)
    quiet(market)
    day = replace(gap, timeframe="1d", start=gap.start.replace(hour=0))
    ahead = replace(gap, start=gap.start + 30 * HOUR)
    assert market_actions.load([gap, day, ahead]) == Loaded(stored=3, kept=0)
    assert alice.request("DELETE", f"orders/{taken_back['id']}/").status_code == 200
    assert feed.recover([market.symbol], now=now()) == 0
    assert seen(alice, resting)["status"] == "accepted"
    market.feed_bar(open="97", high="98", low="94.5", close="96")
    assert seen(alice, resting)["average_price"] == "95"
    assert is_replayed(house, account, market)


def test_a_bar_on_the_tape_stays_as_orders_met_it(
    house: House, market: Market, caplog: pytest.LogCaptureFixture
) -> None:
    alice = house.alice
    account = open_account(alice)
    holding(alice, account, market)
    met = queries.newest(market.symbol)
    assert isinstance(met, Bar)
    otherwise = replace(met, open=Decimal(99), volume=Decimal(7))
    assert market_actions.load([otherwise]) == Loaded(stored=0, kept=1)
    assert market.feed(otherwise) == 0
    assert "stays as orders met it" in caplog.text
    assert market_actions.load([met]) == Loaded(stored=0, kept=0)
    assert queries.newest(market.symbol) == met
    assert is_replayed(house, account, market)


def test_history_may_be_corrected(market: Market) -> None:
    loaded = deep(market)
    market_actions.load([loaded])
    assert market_actions.load([replace(loaded, low=Decimal(79))]) == Loaded(stored=1, kept=0)
    row = Candle.objects.get(symbol=market.symbol, start=loaded.start)
    assert (row.low, row.is_on_tape) == (79, False)


def test_the_command_says_what_stays(market: Market, tmp_path: Path) -> None:
    bar = queries.newest(market.symbol)
    assert isinstance(bar, Bar)
    file = tmp_path / "bars.csv"
    file.write_text(f"start,open,high,low,close,volume\n{bar.start.isoformat()},1,2,1,2,0\n")

    def said(*more: str) -> str:
        out = StringIO()
        asked = ["--symbol", market.symbol, "--timeframe", "1h", *more]
        call_command("load_candles", str(file), *asked, stdout=out)
        return out.getvalue()

    assert "0 candles new or changed; 1 stay otherwise, as orders met them" in said()
    assert json.loads(said("--json"))["kept"] == 1


def test_timeframes_of_one_instrument_make_one_tape(house: House, market: Market) -> None:
    """What lies in a day that has been told is history, whatever the length of its bars."""
    alice = house.alice
    account = open_account(alice)
    first, second, third = (limit_buy(alice, account, market, p) for p in ("98", "96", "94"))
    market.feed_bar(open="100", high="100", low="97", close="99")
    hour = market.bar(open="99", high="99", low="80", close="97")
    market.feed(replace(hour, timeframe="1d", low=Decimal(95)))
    assert market.feed(replace(hour, start=hour.start + 5 * HOUR)) == 0
    assert market.feed(hour) == 0
    assert market.feed(replace(hour, start=hour.start + 24 * HOUR, low=Decimal(93))) == 1
    assert [seen(alice, o)["average_price"] for o in (first, second, third)] == ["98", "96", "94"]
    on_tape = queries.bars_on_tape(market.symbol).order_by("start")
    assert list(on_tape.values_list("timeframe", flat=True)) == ["1h", "1h", "1d", "1h"]
    assert is_replayed(house, account, market)


@pytest.mark.parametrize("by_key", [False, True], ids=["plain", "by key"])
@pytest.mark.parametrize(
    ("method", "body"), [("DELETE", None), ("PATCH", {"limit_price": "90"})], ids=["cancel", "new"]
)
def test_what_is_refused_because_it_was_filled_is_filled(
    house: House, market: Market, method: str, body: Any, by_key: bool
) -> None:
    alice = house.alice
    account = open_account(alice)
    order = limit_buy(alice, account, market, "95")
    market_actions.put(deep(market))
    key = {"Idempotency_Key": uuid4().hex} if by_key else {}
    for _ in range(2):
        refused = alice.request(method, f"orders/{order['id']}/", body, **key)
        assert (refused.status_code, refused.json()["code"]) == (409, "order_not_open")
        assert "filled" in refused.json()["detail"]
    assert seen(alice, order)["status"] == "filled"
    assert balance(alice, account)["locked"] == "0"
    with job(house.tenant):
        told = Notification.objects.filter(kind="order.filled", user_id=alice.user_id)
        assert told.count() == 1
    assert feed.recover([market.symbol], now=now()) == 0
    assert is_replayed(house, account, market)


def test_a_replacement_that_is_refused_leaves_the_fills_and_nothing_of_its_own(
    house: House, market: Market
) -> None:
    """Another order is filled on the way; the replacement cannot be paid."""
    alice = house.alice
    account = open_account(alice, amount="500")
    filled, kept = limit_buy(alice, account, market, "95"), limit_buy(alice, account, market, "60")
    market_actions.put(deep(market))
    refused = alice.request("PATCH", f"orders/{kept['id']}/", {"quantity": "50"})
    assert (refused.status_code, refused.json()["code"]) == (422, "insufficient_funds")
    assert [seen(alice, o)["status"] for o in (filled, kept)] == ["filled", "accepted"]
    assert len(alice.get("orders/").json()["results"]) == 2
    assert is_replayed(house, account, market)


def test_a_position_that_was_sold_before_it_is_closed_is_sold(house: House, market: Market) -> None:
    alice = house.alice
    account = open_account(alice)
    holding(alice, account, market)
    sale = place(alice, account, market, side="sell", type="limit", quantity="2", limit_price="105")
    (position,) = alice.get("positions/?open=true").json()["results"]
    market_actions.put(market.bar(open="100", high="106", low="100", close="106"))
    refused = alice.post(f"positions/{position['id']}/close/", {"percent": "100"})
    assert (refused.status_code, refused.json()["code"]) == (409, "position_closed")
    assert seen(alice, sale)["status"] == "filled"
    assert is_replayed(house, account, market)


def halted(house: House, market: Market) -> tuple[str, list[dict[str, Any]]]:
    """An account whose books do not take a sale, and its orders: the sale, and two that rest."""
    alice = house.alice
    account = open_account(alice)
    holding(alice, account, market)
    free = Decimal(balance(alice, account)["free"])
    resting = [limit_buy(alice, account, market, price) for price in ("95", "94")]
    quiet(market)
    rest = {"currency": "USD", "amount": str(Decimal("99999999999999999999") - free)}
    assert alice.post(f"accounts/{account}/deposit/", rest).status_code == 201
    sale = place(alice, account, market, side="sell", type="market", quantity="1")
    quiet(market, "1000")
    assert alice.get(f"accounts/{account}/").json()["status_reason"] == "books_refused"
    return account, [sale, *resting]


def test_the_orders_of_a_halted_account_stand_still_and_end_where_they_stood(
    house: House, market: Market
) -> None:
    alice = house.alice
    account, orders = halted(house, market)
    market.feed(deep(market))
    assert {seen(alice, order)["status"] for order in orders} == {"accepted"}
    assert is_replayed(house, account, market), "as long as it is halted"
    assert alice.request("DELETE", f"orders/{orders[1]['id']}/").status_code == 200
    market.feed(deep(market))
    assert is_replayed(house, account, market)
    for order in (orders[0], orders[2]):
        assert alice.request("DELETE", f"orders/{order['id']}/").status_code == 200
    money = {"currency": "USD", "amount": balance(alice, account)["free"]}
    assert alice.post(f"accounts/{account}/withdraw/", money).status_code == 201
    body = {"currency": "USD", "amount": "1000"}
    assert alice.post(f"accounts/{account}/reset/", body).status_code == 200
    again = limit_buy(alice, account, market, "95")
    assert market.feed(deep(market)) == 1
    assert seen(alice, again)["status"] == "filled"
    assert is_replayed(house, account, market)


def test_a_halted_account_that_starts_over_has_not_met_what_it_sat_out(
    house: House, market: Market
) -> None:
    alice = house.alice
    account, orders = halted(house, market)
    money = {"currency": "USD", "amount": balance(alice, account)["free"]}
    assert alice.post(f"accounts/{account}/withdraw/", money).status_code == 201
    market.feed(deep(market))
    body = {"currency": "USD", "amount": "1000"}
    assert alice.post(f"accounts/{account}/reset/", body).status_code == 200
    assert {seen(alice, order)["status"] for order in orders} == {"canceled"}
    assert is_replayed(house, account, market)


def busy_for(monkeypatch: pytest.MonkeyPatch, account: str, times: int) -> list[str]:
    """Its lock is not got that many times; gives who met what, in turn."""
    meet, calls = execution.meet, list[str]()

    def meet_if_free(account_id: UUID, *rest: Any, **more: Any) -> int:
        calls.append(str(account_id))
        if str(account_id) == account and calls.count(account) <= times:
            raise OperationalError("too long") from QueryCanceled("too long")
        return meet(account_id, *rest, **more)

    monkeypatch.setattr(execution, "meet", meet_if_free)
    return calls


@pytest.mark.parametrize("later", ["the next bar", "the timer", "a cancel"])
def test_an_account_that_is_busy_twice_holds_up_nobody_and_misses_nothing(
    house: House, market: Market, monkeypatch: pytest.MonkeyPatch, later: str
) -> None:
    busy, other = open_account(house.alice), open_account(house.mallory)
    order = limit_buy(house.alice, busy, market, "95")
    others = limit_buy(house.mallory, other, market, "95")
    busy_for(monkeypatch, busy, times=2)
    assert market.feed(deep(market)) == 1
    assert seen(house.mallory, others)["status"] == "filled"
    assert seen(house.alice, order)["status"] == "accepted"
    assert market.symbol in queries.unmatched()
    after: dict[str, Callable[[], object]] = {
        "the next bar": lambda: market.feed_bar(open="99", high="99", low="70", close="99"),
        "the timer": match_what_is_left,
        "a cancel": lambda: house.alice.request("DELETE", f"orders/{order['id']}/"),
    }
    after[later]()
    found = seen(house.alice, order)
    assert (found["status"], found["average_price"]) == ("filled", "95")
    match_what_is_left()
    assert market.symbol not in queries.unmatched()
    assert is_replayed(house, busy, market)


def test_who_is_behind_meets_nothing_later_first(
    house: House, market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Busy at both of two bars that were left: at the second it is not even asked."""
    account = open_account(house.alice)
    order = limit_buy(house.alice, account, market, "95")
    for low in ("94", "70"):
        market_actions.put(market.bar(open=low, high="98", low=low, close="96"))
    calls = busy_for(monkeypatch, account, times=2)
    assert feed.recover([market.symbol], now=now()) == 0
    assert len(calls) == 2
    assert feed.recover([market.symbol], now=now()) == 1
    assert seen(house.alice, order)["average_price"] == "94"
    assert is_replayed(house, account, market)


def test_the_timer_alone_brings_in_what_a_killed_feed_left(house: House, market: Market) -> None:
    """Some bars and a tick, in their order, each once."""
    alice = house.alice
    account = open_account(alice)
    exits = {"take_profit": {"limit_price": "110"}, "stop_loss": {"stop_price": "90"}}
    place(alice, account, market, side="buy", type="limit", quantity="1", limit_price="98", **exits)
    market_actions.put(market.bar(open="99", high="115", low="97", close="99"))
    up = market.bar(open="99", high="111", low="99", close="111")
    market_actions.put(up)
    market_actions.put(market.tick(up.end, "80"))
    assert alice.get("fills/").json()["results"] == []
    assert match_what_is_left() >= 2
    assert match_what_is_left() == 0
    with job(house.tenant):
        fills = Fill.objects.filter(account=account).order_by("id")
        assert list(fills.values_list("side", "price")) == [("buy", 98), ("sell", 110)]
    assert is_replayed(house, account, market)


def test_wherever_a_feed_breaks_off_the_timer_alone_brings_in_what_it_stored(
    house: House, market: Market
) -> None:
    account = open_account(house.alice)
    waiting = stored = 0
    for moment in range(1, 60, 4):
        limit_buy(house.alice, account, market, "95")
        bar, waiting = deep(market), waiting + 1
        broken = interrupted(partial(feed.feed, bar, now=now()), moment)
        match_what_is_left()
        if queries.newest(market.symbol) == bar:
            waiting, stored = 0, stored + (broken is None)
        with job(house.tenant):
            assert Order.objects.filter(account=account).open().count() == waiting
    assert stored > 3
    assert is_replayed(house, account, market)


def test_two_feeders_of_the_same_bars_stand_in_a_row(house: House, market: Market) -> None:
    alice = house.alice
    account = open_account(alice)
    for price in range(80, 100, 2):
        limit_buy(alice, account, market, str(price))
    bars = [
        market.bar(open=str(low + 2), high="101", low=str(low), close=str(low + 1))
        for low in range(98, 78, -2)
    ]

    def feed_all(coming: list[Bar]) -> int:
        try:
            return sum(feed.feed(bar, now=now()) for bar in coming)
        finally:
            connection.close()

    # The third brings some of them in bars of four hours.
    longer = [replace(bar, timeframe="4h") for bar in bars[::4]]
    with ThreadPoolExecutor(3) as pool:
        fills = sum(pool.map(feed_all, [bars, bars, longer]))
    with job(house.tenant):
        assert Fill.objects.filter(account=account).count() == fills > 0
    on_tape = [queries.bar_of(c) for c in queries.bars_on_tape(market.symbol).order_by("start")]
    assert all(one.end <= following.start for one, following in pairwise(on_tape))
    assert market.symbol not in queries.unmatched()
    assert is_replayed(house, account, market)


def test_before_anything_is_fed_a_price_has_no_place(house: House) -> None:
    """Who places by the price of history meets the first bar that is fed, and so does a replay."""
    alice, market = house.alice, list_instrument()
    account = open_account(alice)
    market_actions.load([market.bar(open="100", high="100", low="100", close="100")])
    bought = place(alice, account, market, side="buy", type="market", quantity="2")
    market.feed_bar(open="102", high="103", low="101", close="102")
    assert seen(alice, bought)["average_price"] == "102.06"
    trailing = place(
        alice, account, market, side="sell", type="trailing_stop", quantity="1", trail_amount="2"
    )
    market.feed_bar(open="102", high="102", low="90", close="95")
    assert seen(alice, trailing)["status"] == "filled"
    assert is_replayed(house, account, market)


def test_what_trails_from_before_the_tape_begins_with_its_first_price(house: House) -> None:
    alice, market = house.alice, list_instrument()
    account = open_account(alice)
    market_actions.load([market.bar(open="100", high="100", low="100", close="100")])
    trailing = place(
        alice, account, market, side="buy", type="trailing_stop", quantity="1", trail_amount="2"
    )
    market.feed_bar(open="90", high="91", low="90", close="91")
    assert seen(alice, trailing)["status"] == "accepted"
    market.feed_bar(open="91", high="93", low="91", close="93")
    assert seen(alice, trailing)["average_price"] == "92"
    assert is_replayed(house, account, market)
