"""Market data of an exchange: in exact numbers, page by page, and what happens when it stumbles."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import override_settings

from tests.cast import build_house
from tests.trading.market import exchange as local
from tests.trading.market.exchange import HOUR, START, Exchange, kline, late
from trading.market import cached, fetching, public, queries, tasks
from trading.market.errors import (
    ExchangeAway,
    ExchangeMissing,
    ExchangeRefused,
    ExchangeUnclear,
    NotAtExchange,
    UnknownInstrument,
)
from trading.market.public import PAUSES, Client
from trading.values import Side

KLINES = "/api/v3/klines"
INFO = "/api/v3/exchangeInfo"
BUSY = (429, {"code": -1003, "msg": "Too much request weight used."})
BROKEN = (502, b"<html>Bad Gateway</html>")


@pytest.fixture
def exchange() -> Iterator[Exchange]:
    with (
        local.opened() as running,
        override_settings(MARKET_EXCHANGE="binance", MARKET_EXCHANGE_URL=running.url),
    ):
        yield running


@pytest.fixture
def pauses() -> list[float]:
    return []


@pytest.fixture
def client(exchange: Exchange, pauses: list[float]) -> Iterator[Client]:
    made = public.client(timeout_seconds=0.5, pause=pauses.append)
    yield made
    made.exchange.session.close()


def fetch(exchange: Exchange, client: Client, hours: float, **changes: Any) -> fetching.Fetched:
    """What is fetched since the start, so many hours after it."""
    given = {"since": START, "now": START + hours * HOUR, "client": client, **changes}
    return fetching.fetch(exchange.symbol, "1h", **given)


def stored(exchange: Exchange) -> list[Any]:
    return list(queries.candles(exchange.symbol, "1h").order_by("start"))


def test_an_instrument_has_the_exchanges_increments(exchange: Exchange, client: Client) -> None:
    found = client.instrument(exchange.symbol)
    assert (found.price_increment, found.quantity_increment) == (Decimal("0.01"), Decimal("1e-5"))
    assert (found.min_quantity, found.asset_class) == (Decimal("0.00003"), "crypto")
    assert (found.base, found.quote, found.tradable) == (exchange.base, "USDT", True)
    assert client.instrument("OLD/USDT").tradable is False


def test_candles_are_stored_to_the_last_digit(exchange: Exchange, client: Client) -> None:
    exchange.klines.append(kline(START, "100.10000000", "100.12345678"))
    assert fetch(exchange, client, 1).candles == 1
    (candle,) = stored(exchange)
    assert (candle.open, candle.close) == (Decimal("100.1"), Decimal("100.12345678"))
    assert candle.volume == Decimal("148976.11427815")


def test_pages_follow_one_another(exchange: Exchange, client: Client) -> None:
    exchange.most = 4
    exchange.print_hours(10)
    assert fetch(exchange, client, 10).candles == 10
    assert [candle.start for candle in stored(exchange)] == [START + n * HOUR for n in range(10)]
    starts = [query["startTime"] for path, query in exchange.asked if path == KLINES]
    assert starts == [str(local.milliseconds(START + n * HOUR)) for n in (0, 4, 8)]


def test_only_gaps_are_asked_for(exchange: Exchange, client: Client) -> None:
    exchange.print_hours(6)
    fetch(exchange, client, 2)
    asked = exchange.count(KLINES)
    assert fetch(exchange, client, 2).candles == 0
    assert exchange.count(KLINES) == asked
    assert fetch(exchange, client, 6).candles == 4
    assert fetch(exchange, client, 6, since=None).candles == 0


def test_a_candle_that_is_not_over_is_not_stored(exchange: Exchange, client: Client) -> None:
    exchange.print_hours(3)
    assert fetch(exchange, client, 2.99).candles == 2
    exchange.klines[2] = kline(START + 2 * HOUR, "100.20", "100.25")
    assert fetch(exchange, client, 3).candles == 1
    assert stored(exchange)[-1].close == Decimal("100.25")


@pytest.mark.parametrize("faults", [[BUSY, BUSY], [BROKEN, (503, {})], [BUSY, BROKEN]])
def test_who_is_busy_or_broken_is_asked_again_later(
    exchange: Exchange, client: Client, pauses: list[float], faults: list[local.Answer]
) -> None:
    exchange.print_hours(2)
    exchange.fail(KLINES, *faults)
    assert fetch(exchange, client, 2).candles == 2
    assert pauses == [1, 2]


def test_who_is_late_is_asked_again(
    exchange: Exchange, client: Client, pauses: list[float]
) -> None:
    exchange.print_hours(2)
    exchange.fail(KLINES, late(1))
    assert fetch(exchange, client, 2).candles == 2
    assert pauses == [1]


def test_who_stays_away_is_given_up_and_what_came_is_kept(
    exchange: Exchange, client: Client, pauses: list[float]
) -> None:
    exchange.most = 2
    exchange.print_hours(4)

    def then_down() -> local.Answer:
        exchange.fail(KLINES, *[BROKEN] * (1 + len(PAUSES)))
        return 200, exchange.klines[:2]

    exchange.fail(KLINES, then_down)
    with pytest.raises(ExchangeAway):
        fetch(exchange, client, 4)
    assert pauses == list(PAUSES)
    assert len(stored(exchange)) == 2
    assert fetch(exchange, client, 4).candles == 2


@pytest.mark.parametrize(
    "told",
    [
        b"<html>hello</html>",
        {"surprise": 1},
        [["soon", "1", "1", "1", "1", "1"]],
        [[local.milliseconds(START), "1", "2"]],
        [[local.milliseconds(START), "1", "2", "0", "1", "1"]],
        [[local.milliseconds(START), "one", "2", "1", "1", "1"]],
        [[local.milliseconds(START), "NaN", "2", "1", "1", "1"]],
        [None],
        b"",
    ],
    ids=["html", "object", "time", "short", "price 0", "word", "nan", "null", "nothing"],
)
def test_an_answer_of_another_shape_stores_nothing(
    exchange: Exchange, client: Client, told: Any
) -> None:
    exchange.fail(KLINES, (200, told))
    with pytest.raises(ExchangeUnclear):
        fetch(exchange, client, 1)
    assert stored(exchange) == []


def test_markets_of_another_shape_are_refused(exchange: Exchange, client: Client) -> None:
    exchange.fail(INFO, (200, {"symbols": [{"symbol": "ODD"}]}))
    with pytest.raises((ExchangeUnclear, NotAtExchange)):
        client.instrument(exchange.symbol)


def test_an_unknown_symbol_lists_nothing(exchange: Exchange, client: Client) -> None:
    with pytest.raises(NotAtExchange):
        fetching.fetch("NOBODY/USDT", "1h", client=client, now=START)
    with pytest.raises(UnknownInstrument):
        queries.instrument("NOBODY/USDT")
    with pytest.raises(NotAtExchange):
        list(client.bars("NOBODY/USDT", "1h", since=START, until=START, now=START + HOUR))


def test_a_refusal_is_told_as_one(exchange: Exchange, client: Client) -> None:
    exchange.fail(KLINES, (400, {"code": -1100, "msg": "Illegal characters found."}))
    with pytest.raises(ExchangeRefused):
        fetch(exchange, client, 1)


def test_trades_come_once_each_over_quiet_hours_and_full_pages(
    exchange: Exchange, client: Client
) -> None:
    exchange.most = 2
    busy = [START, START + HOUR / 60, START + HOUR / 60, START + HOUR / 30]
    exchange.print_trades(*busy, START + 5 * HOUR)
    assert fetch(exchange, client, 6, trades=True).ticks == 5
    ticks = queries.ticks(exchange.symbol).order_by("at", "trade_id")
    assert [tick.trade_id for tick in ticks] == [1, 2, 3, 4, 5]
    first = ticks[0]
    assert (first.price, first.quantity) == (Decimal("0.10000001"), Decimal("4.70443515"))
    assert (first.side, first.is_buyer_maker) == (Side.SELL, True)


def test_a_quote_shows_the_book_that_was_fetched(exchange: Exchange, client: Client) -> None:
    exchange.print_hours(1)
    fetch(exchange, client, 1)
    quote = build_house("starter").alice.get(f"instruments/{exchange.base}-USDT/quote/").json()
    assert (quote["bid"], quote["ask"], quote["price"]) == ("4", "4.000002", "100.3")
    assert cached.book("NOBODY/USDT") == {}


def test_the_command_says_what_came(exchange: Exchange) -> None:
    exchange.print_hours(2)
    out = StringIO()
    since = START.isoformat()
    arguments = ["--symbol", exchange.symbol, "--timeframe", "1h", "--since", since, "--json"]
    call_command("fetch_market", *arguments, stdout=out)
    told = json.loads(out.getvalue())
    assert told == {"symbol": exchange.symbol, "timeframe": "1h", "candles": 2, "ticks": 0}
    with pytest.raises(CommandError, match="no offset"):
        call_command("fetch_market", *arguments[:4], "--since", "2024-01-01")
    with pytest.raises(CommandError, match="7h"):
        call_command("fetch_market", "--symbol", exchange.symbol, "--timeframe", "7h")


def test_the_task_goes_on_from_the_newest_candle(exchange: Exchange, client: Client) -> None:
    exchange.print_hours(1)
    fetch(exchange, client, 1)
    exchange.print_hours(2, start=START + HOUR)
    tasks.fetch(exchange.symbol, "1h")
    assert len(stored(exchange)) == 3


@pytest.mark.parametrize("name", ["", "nobody", "Exchange", "__class__"])
def test_without_an_exchange_nothing_is_fetched(name: str) -> None:
    with override_settings(MARKET_EXCHANGE=name), pytest.raises(ExchangeMissing):
        public.client()
    with override_settings(MARKET_EXCHANGE=name), pytest.raises(CommandError, match="exchange_mis"):
        call_command("fetch_market", "--symbol", "BTC/USD", "--timeframe", "1h")


def test_every_address_is_replaced_and_no_path() -> None:
    given = {"MARKET_EXCHANGE": "kraken", "MARKET_EXCHANGE_URL": "http://127.0.0.1:9/"}
    with override_settings(**given):
        found = public.client()
    assert set(found.exchange.urls["api"].values()) >= {"http://127.0.0.1:9"}
    assert all(
        str(url).startswith("http://127.0.0.1:9") for url in _flat(found.exchange.urls["api"])
    )


def _flat(urls: Any) -> list[str]:
    if isinstance(urls, dict):
        return [url for inner in urls.values() for url in _flat(inner)]
    return [urls]


def test_an_exchange_that_counts_decimals_has_increments_too(client: Client) -> None:
    market = {
        "symbol": "A/B",
        "base": "A",
        "quote": "B",
        "active": None,
        "precision": {"price": "2", "amount": "5"},
        "limits": {"amount": {"min": None}},
    }
    client.exchange.precisionMode = 2  # ccxt.DECIMAL_PLACES
    found = client._instrument(market)
    assert (found.price_increment, found.quantity_increment) == (Decimal("0.01"), Decimal("1e-5"))
    assert (found.min_quantity, found.tradable) == (Decimal("1e-5"), True)


def test_what_weighs_much_is_loaded_only_when_asked_for() -> None:
    code = (
        "import sys, django; django.setup()\n"
        "import config.urls, trading.market.tasks\n"
        "assert not {'ccxt', 'pandas', 'exchange_calendars'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_moments_are_exact() -> None:
    moment = START + timedelta(milliseconds=1)
    assert public._moment(public._milliseconds(moment)) == moment
