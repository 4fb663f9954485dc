"""Quotes, statistics and gaps, as people ask for them; and what is kept of the answers."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
import redis
from django.core.cache import caches
from django.test import override_settings

from tests.cast import House, Person, build_house, now
from tests.market import list_instrument
from tests.trading.market.test_loading_ticks import tick
from trading.market import actions, cached, prices, queries
from trading.market.actions import Loaded
from trading.market.bars import Bar
from trading.market.cached import Kind
from trading.market.errors import CalendarUnknown, RangeTooWide, UnknownInstrument
from trading.market.models import Instrument
from trading.market.queries import Quote

pytestmark = pytest.mark.by_turns

DAY = datetime(2024, 3, 4, tzinfo=UTC)  # a Monday
HOUR = timedelta(hours=1)


def listed(asset_class: str = "crypto") -> str:
    symbol = list_instrument().symbol
    if asset_class == "crypto":
        return symbol
    other = f"S{uuid4().hex[:8].upper()}"
    found = Instrument.objects.get(symbol=symbol)
    found.symbol, found.asset_class = other, asset_class
    actions.ensure_instrument(found)
    return other


def bar(symbol: str, timeframe: str, start: datetime, close: str = "100", **changes: Any) -> Bar:
    price = Decimal(close)
    fields = {"open": price, "high": price, "low": price, "close": price, "volume": Decimal(1)}
    return Bar(symbol, timeframe, start, **{**fields, **changes})


def ask(person: Person, symbol: str, what: str) -> Any:
    return person.get(f"instruments/{symbol.replace('/', '-')}/{what}")


def test_a_quote_has_the_close_of_the_day_before(house: House) -> None:
    symbol = listed()
    yesterday = bar(symbol, "1h", DAY - HOUR, "80")
    today = [bar(symbol, "1h", DAY, "90"), bar(symbol, "1h", DAY + HOUR, "100")]
    actions.load([bar(symbol, "4h", DAY - 5 * HOUR, "70"), yesterday, *today])
    assert ask(house.alice, symbol, "quote/").json() == {
        "symbol": symbol,
        "price": "100",
        "at": "2024-03-04T01:00:00Z",
        "bid": None,
        "ask": None,
        "previous_close": "80",
        "change": "20",
        "change_percent": "25",
    }


def test_of_bars_of_several_lengths_the_one_that_ended_last_closed_the_day() -> None:
    symbol = listed()
    early = bar(symbol, "1h", DAY - 14 * HOUR, "70")
    week = bar(symbol, "1w", DAY - timedelta(days=7), "60")
    actions.load([week, bar(symbol, "1d", DAY - timedelta(days=1), "80"), early])
    actions.load([bar(symbol, "1d", DAY, "100")])
    assert prices.last(symbol).previous_close == 80
    actions.load([bar(symbol, "1h", DAY - HOUR, "81")])
    assert prices.last(symbol).previous_close == 81


def test_a_close_of_long_ago_is_no_previous_close() -> None:
    symbol = listed()
    actions.load([bar(symbol, "1d", DAY - timedelta(days=40)), bar(symbol, "1d", DAY)])
    found = prices.last(symbol)
    assert (found.price, found.previous_close, found.change) == (100, None, None)


def test_a_trade_after_the_newest_bar_is_the_price() -> None:
    symbol = listed()
    actions.load([bar(symbol, "1h", DAY, "100")])
    actions.load_ticks([tick(symbol, 1, at=DAY + HOUR / 2, price=Decimal(1))])
    assert prices.last(symbol).price == 100
    actions.load_ticks([tick(symbol, 2, at=DAY + HOUR, price=Decimal(102))])
    found = prices.last(symbol)
    assert (found.price, found.at) == (102, DAY + HOUR)


def test_orders_are_quoted_what_is_newest_in_store_until_something_is_fed() -> None:
    symbol = listed()
    actions.load([bar(symbol, "1h", DAY, "100")])
    actions.load_ticks([tick(symbol, 1, at=DAY + HOUR / 2, price=Decimal(1))])
    assert queries.quote(symbol) == Quote(symbol, Decimal(100))
    actions.load_ticks([tick(symbol, 2, at=DAY + HOUR, price=Decimal(102))])
    assert queries.quote(symbol) == Quote(symbol, Decimal(102))
    early = bar(symbol, "1h", DAY - HOUR, "99")
    actions.put(early)
    assert queries.quote(symbol) == Quote(symbol, Decimal(99), early.place)


def test_what_is_not_known_is_null_and_never_nought(house: House) -> None:
    symbol = listed()
    quote = ask(house.alice, symbol, "quote/").json()
    assert quote.pop("symbol") == symbol
    assert set(quote.values()) == {None}
    statistics = ask(house.alice, symbol, "statistics/").json()
    assert statistics == {"symbol": symbol, "session": None, "series": []}


def test_statistics_are_of_the_last_24_hours_that_have_bars(house: House) -> None:
    symbol = listed()
    low, high = {"low": Decimal(40)}, {"high": Decimal(200)}
    opens = {"open": Decimal(100), "low": Decimal(100)}
    hours = [bar(symbol, "1h", DAY - 30 * HOUR + n * HOUR, "100") for n in range(28)]
    hours += [bar(symbol, "1h", DAY - 2 * HOUR, "100", **low)]
    hours += [bar(symbol, "1h", DAY - HOUR, "110", **high, **opens)]
    actions.load([*hours, bar(symbol, "1w", DAY - timedelta(days=7))])
    found = ask(house.alice, symbol, "statistics/").json()
    assert found["session"] == {
        "timeframe": "1h",
        "start": "2024-03-03T00:00:00Z",
        "end": "2024-03-04T00:00:00Z",
        "open": "100",
        "high": "200",
        "low": "40",
        "close": "110",
        "volume": "24",
        "change": "10",
        "change_percent": "10",
        "bars": 24,
    }
    assert found["series"] == [
        {
            "timeframe": "1h",
            "bars": 30,
            "first": "2024-03-02T18:00:00Z",
            "last": "2024-03-03T23:00:00Z",
        },
        {
            "timeframe": "1w",
            "bars": 1,
            "first": "2024-02-26T00:00:00Z",
            "last": "2024-02-26T00:00:00Z",
        },
    ]


def test_what_has_sessions_is_summed_up_by_its_last_day() -> None:
    symbol = listed("stock")
    friday, monday = DAY - timedelta(days=3), DAY
    hours = [bar(symbol, "1h", friday + 20 * HOUR, "50"), bar(symbol, "1h", monday + 15 * HOUR)]
    actions.load(hours)
    session = prices.statistics(symbol).session
    assert session is not None
    assert (session.bars, session.start) == (1, monday + 15 * HOUR)
    assert (session.change, session.change_percent) == (50, 100)


def test_a_weeks_bar_alone_is_summed_up_too() -> None:
    symbol = listed()
    actions.load([bar(symbol, "1w", DAY)])
    session = prices.statistics(symbol).session
    assert session is not None
    assert (session.timeframe, session.bars) == ("1w", 1)


def test_gaps_of_what_never_closes(house: House) -> None:
    symbol = listed()
    actions.load([bar(symbol, "1h", DAY + n * HOUR) for n in (0, 3, 4)])
    asked = "gaps/?timeframe=1h&start=2024-03-04T00:00:00Z&end=2024-03-04T06:00:00Z"
    assert ask(house.alice, symbol, asked).json() == {
        "due": 6,
        "missing": 3,
        "gaps": [
            {"first": "2024-03-04T01:00:00Z", "last": "2024-03-04T02:00:00Z", "bars": 2},
            {"first": "2024-03-04T05:00:00Z", "last": "2024-03-04T05:00:00Z", "bars": 1},
        ],
    }


def test_weekends_and_holidays_are_no_gaps_of_a_stock() -> None:
    symbol = listed("stock")
    start, end = datetime(2024, 3, 28, tzinfo=UTC), datetime(2024, 4, 3, tzinfo=UTC)
    actions.load([bar(symbol, "1d", start)])
    found = queries.gaps(symbol, "1d", start, end, now=now())
    assert (found.due, found.missing) == (3, 2)
    assert found.gaps[0].first == datetime(2024, 4, 1, tzinfo=UTC)


def test_a_bar_that_is_not_over_is_not_missing() -> None:
    symbol = listed()
    at = DAY + 2 * HOUR + timedelta(minutes=59)
    found = queries.gaps(symbol, "1h", DAY, DAY + 9 * HOUR, now=at)
    assert found.due == 2


def test_gaps_that_nobody_can_tell_are_refused() -> None:
    stock, bond, crypto = listed("stock"), listed("bond"), listed()
    with pytest.raises(CalendarUnknown, match="1h of stock"):
        queries.gaps(stock, "1h", DAY, DAY + HOUR, now=now())
    with pytest.raises(CalendarUnknown, match="1d of bond"):
        queries.gaps(bond, "1d", DAY, DAY + HOUR, now=now())
    with pytest.raises(CalendarUnknown, match="from 1990"):
        queries.gaps(stock, "1d", DAY.replace(year=1989), DAY.replace(year=1991), now=now())
    with pytest.raises(RangeTooWide):
        queries.gaps(crypto, "1m", DAY, DAY + timedelta(days=30), now=now())


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("timeframe=1m&start=2023-01-01T00:00:00Z&end=2024-01-01T00:00:00Z", 422, "range_too_wide"),
        ("timeframe=1h", 400, "invalid"),
        ("timeframe=7h&start=2024-01-01T00:00:00Z&end=2024-01-02T00:00:00Z", 400, "invalid"),
        ("start=0001-01-01T00:00:00Z&end=0001-01-02T00:00:00Z", 200, None),
        ("start=9999-12-30T00:00:00Z&end=9999-12-31T23:59:59Z", 200, None),
        ("start=2024-01-02T00:00:00Z&end=2024-01-01T00:00:00Z", 200, None),
    ],
)
def test_a_range_is_bounded(query: str, status: int, code: str | None) -> None:
    alice = build_house("starter").alice
    answer = ask(alice, listed(), f"gaps/?{query}")
    assert (answer.status_code, answer.json().get("code")) == (status, code)


def test_an_answer_is_kept_until_the_feed_writes(house: House) -> None:
    symbol = listed()
    actions.load([bar(symbol, "1h", DAY, "100")])
    assert ask(house.alice, symbol, "quote/").json()["price"] == "100"
    key = f"market:{Kind.QUOTE}:{symbol}"
    told = json.loads(caches["shared"].get(key))
    caches["shared"].set(key, json.dumps({**told, "price": "77"}), timeout=60)
    assert ask(house.mallory, symbol, "quote/").json()["price"] == "77"
    assert queries.quote(symbol).price == 100
    actions.load([bar(symbol, "1h", DAY + HOUR, "101")])
    assert ask(house.mallory, symbol, "quote/").json()["price"] == "101"
    actions.load_ticks([tick(symbol, 1, at=DAY + 2 * HOUR, price=Decimal(103))])
    assert ask(house.alice, symbol, "quote/").json()["price"] == "103"


def test_kept_answers_expire_soon_and_name_no_tenant(house: House) -> None:
    symbol = listed()
    actions.load([bar(symbol, "1h", DAY)])
    for what in ("", "quote/", "statistics/"):
        assert ask(house.alice, symbol, what).status_code == 200
    client: redis.Redis = caches["shared"]._cache.get_client()
    keys = sorted(client.scan_iter(f"*{symbol}*"))
    kinds = ("instrument", "quote", "statistics")
    assert keys == [f"shared:1:market:{kind}:{symbol}".encode() for kind in kinds]
    for key in keys:
        assert 0 < client.ttl(key) <= 60
        value = client.get(key)
        for whose in (house.tenant.id, house.tenant.slug, house.alice.user_id):
            assert str(whose).encode() not in value


def test_what_does_not_exist_is_not_kept(house: House) -> None:
    symbol = f"N{uuid4().hex[:8].upper()}"
    assert ask(house.alice, symbol, "quote/").status_code == 404
    with pytest.raises(UnknownInstrument):
        cached.kept(Kind.INSTRUMENT, symbol, lambda name: {"x": queries.instrument(name)})
    assert caches["shared"].get(f"market:instrument:{symbol}") is None


AWAY = {
    "shared": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": "redis://127.0.0.1:9/0",
        "KEY_PREFIX": "shared",
    }
}


def test_without_valkey_the_database_answers_and_the_feed_goes_on() -> None:
    symbol = listed()
    with override_settings(CACHES=AWAY):
        assert actions.load([bar(symbol, "1h", DAY)]) == Loaded(stored=1, kept=0)
        made = cached.kept(Kind.QUOTE, symbol, lambda name: {"price": queries.quote(name).price})
        assert made == {"price": 100}
