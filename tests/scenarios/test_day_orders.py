"""Day orders end with their session: by the timer in a market of today, by its bars in a replay."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest

from tests.cast import House, Person, job, now
from tests.market import Market, list_instrument
from tests.scenarios.test_first_trade import balance, open_account
from tests.scenarios.test_order_types import place, seen
from tests.scenarios.test_replay import replayed
from trading.market import calendars
from trading.orders import actions

pytestmark = pytest.mark.by_turns

HOUR, SECOND = timedelta(hours=1), timedelta(seconds=1)
FLAT = {"open": "100", "high": "101", "low": "99", "close": "100"}


@pytest.fixture
def market() -> Iterator[Market]:
    """Of today: its bars are over by now, so that midnight is in none of them."""
    yield market_of_today("crypto")


def market_of_today(asset_class: str) -> Market:
    market = list_instrument(asset_class=asset_class)
    first = market.bar(open="1", high="1", low="1", close="1")
    market = replace(market, hours=count((now() - first.start) // HOUR - 3))
    market.print_bar(**FLAT)
    return market


def day_order(person: Person, account: str, market: Market, **asked: Any) -> dict[str, Any]:
    body = {"side": "buy", "type": "limit", "quantity": "1", "limit_price": "90", **asked}
    return place(person, account, market, time_in_force="day", **body)


def midnight_after(order: dict[str, Any]) -> datetime:
    created = datetime.fromisoformat(order["created_at"]).astimezone(UTC)
    return created.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)


def expire(house: House, at: datetime) -> int:
    with job(house.tenant):
        return actions.expire_due(now=at)


def test_the_timer_ends_it_at_midnight_frees_what_it_held_and_tells(
    house: House, market: Market
) -> None:
    alice, mallory = house.alice, house.mallory
    account, other = open_account(alice), open_account(mallory)
    order, strange = day_order(alice, account, market), day_order(mallory, other, market)
    ends = midnight_after(order)
    assert datetime.fromisoformat(order["expires_at"]) == ends
    assert expire(house, ends - SECOND) == 0
    assert expire(house, ends) == 1
    assert expire(house, ends) == 0
    done = seen(alice, order)
    assert (done["status"], done["status_reason"]) == ("expired", "session_ended")
    assert balance(alice, account)["locked"] == "0"
    told = [row["kind"] for row in alice.get("notifications/").json()["results"]]
    assert told.count("order.expired") == 1
    assert seen(mallory, strange)["status"] == "accepted"


def test_what_ended_by_the_clock_does_not_meet_a_bar_that_comes_later(
    house: House, market: Market
) -> None:
    """Nor does it when its past is made again, though the bar began before the end."""
    alice = house.alice
    account = open_account(alice)
    bought = place(alice, account, market, side="buy", type="market", quantity="1")
    order = day_order(alice, account, market)
    market.feed_bar(**FLAT)
    assert expire(house, midnight_after(order)) == 1
    market.feed_bar(open="95", high="96", low="80", close="85")
    assert seen(alice, order)["filled_quantity"] == "0"
    assert seen(alice, bought)["status"] == "filled"
    assert set(replayed(house, account)["instruments"].values()) == {True}


def test_a_bar_that_was_stored_before_is_met_first(house: House, market: Market) -> None:
    alice = house.alice
    account = open_account(alice)
    order = day_order(alice, account, market)
    market.print_bar(open="95", high="96", low="80", close="85")
    assert expire(house, midnight_after(order)) == 0
    assert seen(alice, order)["status"] == "filled"
    assert set(replayed(house, account)["instruments"].values()) == {True}


def test_a_stock_s_day_ends_when_its_exchange_closes(house: House) -> None:
    market = market_of_today("stock")
    account = open_account(house.alice)
    order = day_order(house.alice, account, market)
    created = datetime.fromisoformat(order["created_at"])
    closes = calendars.closing("stock", created)
    assert datetime.fromisoformat(order["expires_at"]) == closes != midnight_after(order)
    assert expire(house, closes - SECOND) == 0
    assert expire(house, closes) == 1


def test_the_legs_of_an_entry_end_with_its_day(house: House, market: Market) -> None:
    alice = house.alice
    account = open_account(alice)
    legs = {"take_profit": {"limit_price": "120"}, "stop_loss": {"stop_price": "80"}}
    waiting = day_order(alice, account, market, **legs)
    entry = day_order(alice, account, market, type="market", limit_price=None, **legs)
    market.feed_bar(**FLAT)
    assert expire(house, midnight_after(entry)) >= 2
    found = {leg["status"] for leg in seen(alice, entry)["legs"]}
    assert found == {"expired"}
    assert {leg["status"] for leg in seen(alice, waiting)["legs"]} == {"canceled"}
    assert balance(alice, account)["locked"] == "0"


def test_a_replay_of_stocks_ends_the_day_at_the_close(house: House) -> None:
    """Bars of 2024, an hour each: the first opened at 15:00 UTC, the last closes at 21:00."""
    alice = house.alice
    market = list_instrument(asset_class="stock")
    market = replace(market, hours=count(24 + 14))  # the second of January
    market.print_bar(**FLAT)
    account = open_account(alice)
    order = day_order(alice, account, market)
    place(alice, account, market, side="buy", type="market", quantity="1")
    assert order["expires_at"] is None
    for _ in range(5):
        market.feed_bar(**FLAT)
    assert expire(house, now()) == 0
    assert seen(alice, order)["status"] == "accepted"
    market.feed_bar(**FLAT)
    done = seen(alice, order)
    assert (done["status"], done["status_reason"]) == ("expired", "session_ended")
    market.feed_bar(open="95", high="96", low="80", close="85")
    assert seen(alice, order)["filled_quantity"] == "0"
    assert set(replayed(house, account)["instruments"].values()) == {True}
