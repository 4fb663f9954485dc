"""Public data of one exchange, through ccxt and without credentials, in exact numbers."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings

from trading.market.bars import Bar
from trading.market.errors import (
    ExchangeAway,
    ExchangeMissing,
    ExchangeRefused,
    ExchangeUnclear,
    NotAtExchange,
)
from trading.market.models import Instrument
from trading.market.ticks import Tick
from trading.market.timeframes import duration
from trading.values import Side

TIMEOUT_SECONDS = 10.0
# Seconds before each further attempt, where the exchange is away or asks for patience.
PAUSES = (1.0, 2.0, 4.0, 8.0)
PAGE = 1000
# How far ahead of a moment an exchange looks for trades, at least.
_TRADES_SPAN = timedelta(hours=1)
_SYMBOL = re.compile(r"[A-Z0-9.]{1,16}/[A-Z0-9.]{1,16}")
# What ccxt's own reading stumbles over in an answer of another shape.
_UNREADABLE = (ValueError, TypeError, KeyError, IndexError, AttributeError, InvalidOperation)


@dataclass(frozen=True, slots=True)
class Book:
    """The best prices offered, in the quote currency; None where a side is empty."""

    bid: Decimal | None
    ask: Decimal | None


@dataclass(frozen=True, slots=True)
class Client:
    """Asks one exchange, at the pace that ccxt knows it allows.

    All that ask raise ExchangeAway after the last attempt, ExchangeRefused, ExchangeUnclear and
    NotAtExchange.
    """

    exchange: Any
    pause: Callable[[float], None] = field(default=time.sleep)

    def instruments(self) -> list[Instrument]:
        """What is traded on the spot, with its increments and minimum; nothing is stored."""
        markets = self._ask(self.exchange.load_markets)
        spot = (market for market in markets.values() if _is_ours(market))
        with _reading("markets"):
            return [self._instrument(market) for market in spot]

    def instrument(self, symbol: str) -> Instrument:
        """One of them. Raises NotAtExchange."""
        for found in self.instruments():
            if found.symbol == symbol:
                return found
        raise NotAtExchange(f"{symbol} is not traded at {self.exchange.id}.")

    def bars(
        self, symbol: str, timeframe: str, *, since: datetime, until: datetime, now: datetime
    ) -> Iterator[list[Bar]]:
        """Pages of bars with `since <= start <= until` that are over by now, oldest first."""
        step = duration(timeframe)
        newest = min(until, now - step)
        while since <= newest:
            rows = self._ask(
                self.exchange.fetch_ohlcv, symbol, timeframe, _milliseconds(since), PAGE
            )
            with _reading("bars"):
                self._check_nothing_was_dropped(rows)
                found = [_bar(symbol, timeframe, row) for row in rows]
            page = [bar for bar in found if since <= bar.start <= newest]
            if not page:
                return
            yield page
            since = page[-1].start + step

    def trades(self, symbol: str, *, since: datetime, now: datetime) -> Iterator[list[Tick]]:
        """Pages of trades since a moment, oldest first, none twice.

        Of more trades in one millisecond than the exchange tells at once, some stay untold.
        """
        told: set[int] = set()
        while since <= now:
            rows = self._ask(self.exchange.fetch_trades, symbol, _milliseconds(since), PAGE)
            with _reading("trades"):
                self._check_nothing_was_dropped(rows)
                found = [_tick(symbol, row) for row in rows]
            page = [tick for tick in found if tick.trade_id not in told]
            if page:
                yield page
            # Trades of the last moment may go on in the next page.
            told = {tick.trade_id for tick in found}
            since = _onwards(since, page, found)

    def book(self, symbol: str) -> Book:
        """The best bid and ask of this moment."""
        ticker = self._ask(self.exchange.fetch_ticker, symbol)
        with _reading("ticker"):
            return Book(_number_or_none(ticker["bid"]), _number_or_none(ticker["ask"]))

    def _ask(self, method: Callable[..., Any], *arguments: Any) -> Any:
        for pause in PAUSES:
            try:
                return self._ask_once(method, *arguments)
            except ExchangeAway:
                self.pause(pause)
        return self._ask_once(method, *arguments)

    def _ask_once(self, method: Callable[..., Any], *arguments: Any) -> Any:
        import ccxt

        try:
            return method(*arguments)
        except ccxt.NetworkError as fault:  # timeouts, 429 and 5xx among them
            raise ExchangeAway(f"{self.exchange.id} does not answer.") from fault
        except (ccxt.BadSymbol, ccxt.NotSupported) as fault:
            raise NotAtExchange(f"{self.exchange.id} has nothing of that kind.") from fault
        except ccxt.BaseError as fault:
            raise ExchangeRefused(f"{self.exchange.id} refused the request.") from fault
        except _UNREADABLE as fault:
            raise ExchangeUnclear(f"{self.exchange.id} gave something else.") from fault

    def _check_nothing_was_dropped(self, rows: list[Any]) -> None:
        """ccxt takes what it cannot read for no rows. Raises ValueError where it was no empty list.

        Some exchanges put their list into an object, next to lists of warnings.
        """
        lengths = set(_lengths(self.exchange.last_json_response))
        if not rows and lengths != {0}:
            raise ValueError("no rows, in an answer that has some or no list of them")

    def _instrument(self, market: dict[str, Any]) -> Instrument:
        quantity_increment = self._increment(market["precision"]["amount"])
        least = _number_or_none(market["limits"]["amount"]["min"])
        return Instrument(
            symbol=market["symbol"],
            name=market["symbol"],
            asset_class="crypto",
            base=market["base"],
            quote=market["quote"],
            price_increment=self._increment(market["precision"]["price"]),
            quantity_increment=quantity_increment,
            min_quantity=least or quantity_increment,
            tradable=market["active"] is not False,
        )

    def _increment(self, precision: str) -> Decimal:
        """Exchanges tell steps, or else how many decimals a number has."""
        import ccxt

        if self.exchange.precisionMode == ccxt.TICK_SIZE:
            return _number(precision)
        if self.exchange.precisionMode == ccxt.DECIMAL_PLACES:
            return Decimal(1).scaleb(-int(precision))
        raise ValueError("an exchange that counts significant digits has no increments")


def client(
    *, timeout_seconds: float = TIMEOUT_SECONDS, pause: Callable[[float], None] = time.sleep
) -> Client:
    """A client of the exchange that the settings name. Raises ExchangeMissing."""
    # All exchanges of the world, and half a second: only for who asks one.
    import ccxt

    name, address = settings.MARKET_EXCHANGE, settings.MARKET_EXCHANGE_URL
    if name not in ccxt.exchanges:
        raise ExchangeMissing("MARKET_EXCHANGE names no exchange that ccxt knows.")
    kind = getattr(ccxt, name)
    given: dict[str, Any] = {
        "timeout": int(timeout_seconds * 1000),
        "enableRateLimit": True,
        "enableLastJsonResponse": True,
        "number": str,  # numbers as the exchange wrote them, never floats
        "options": {"defaultType": "spot", "fetchMarkets": {"types": ["spot"]}},
    }
    if address:
        given["urls"] = {"api": _elsewhere(kind().urls["api"], address)}
    return Client(kind(given), pause)


def _elsewhere(urls: Any, address: str) -> Any:
    """The same paths at another host."""
    if isinstance(urls, dict):
        return {name: _elsewhere(url, address) for name, url in urls.items()}
    return address.rstrip("/") + urlsplit(urls).path


@contextmanager
def _reading(what: str) -> Iterator[None]:
    """Turns what cannot be read of an answer into ExchangeUnclear."""
    try:
        yield
    except _UNREADABLE as fault:
        raise ExchangeUnclear(f"The {what} are not what they should be.") from fault


def _is_ours(market: dict[str, Any]) -> bool:
    return bool(market["spot"]) and _SYMBOL.fullmatch(market["symbol"]) is not None


def _lengths(answer: Any) -> Iterator[int]:
    """Of the lists in an answer, however deep in objects."""
    if isinstance(answer, list):
        yield len(answer)
    elif isinstance(answer, dict):
        for inner in answer.values():
            yield from _lengths(inner)


def _onwards(since: datetime, page: list[Tick], found: list[Tick]) -> datetime:
    """Where the next page starts: new trades, known ones only, or none at all."""
    if page:
        return page[-1].at
    return found[-1].at + timedelta(milliseconds=1) if found else since + _TRADES_SPAN


def _bar(symbol: str, timeframe: str, row: list[Any]) -> Bar:
    start, *numbers = row
    return Bar(symbol, timeframe, _moment(start), *(_number(number) for number in numbers))


def _tick(symbol: str, row: dict[str, Any]) -> Tick:
    side = Side(row["side"])
    return Tick(
        symbol=symbol,
        at=_moment(row["timestamp"]),
        price=_number(row["price"]),
        quantity=_number(row["amount"]),
        side=side,
        trade_id=int(row["id"]),
        is_buyer_maker=side is Side.SELL,
    )


def _number(text: Any) -> Decimal:
    """Raises ValueError for what is not text: a float has been rounded before."""
    if not isinstance(text, str):
        raise ValueError("a number is no text")  # noqa: TRY004 - one kind of fault for all
    return Decimal(text)


def _number_or_none(text: Any) -> Decimal | None:
    return None if text is None else _number(text)


def _moment(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=milliseconds)


def _milliseconds(moment: datetime) -> int:
    return (moment - datetime.fromtimestamp(0, UTC)) // timedelta(milliseconds=1)
