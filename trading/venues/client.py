"""A thin client over ccxt for one account: made with its keys, used for one task, forgotten."""

from __future__ import annotations

import binascii
import json
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal, localcontext
from functools import partial
from typing import Any, TypeVar
from urllib.parse import urlsplit, urlunsplit

from django.conf import settings

from trading.brokers.credentials import Keys
from trading.values import OrderType, Side, plain
from trading.venues.errors import (
    KeysRefused,
    OrderUnknown,
    OutcomeUnknown,
    TryLater,
    VenueError,
    VenueRefused,
)
from trading.venues.facts import Ticket, VenueOrder, VenueTrade

# Milliseconds, of one call. All those of one task together stay below `ABANDONED`.
_TIMEOUT = 10_000
_PAUSES = (0.2, 0.8)  # seconds, before a read is tried again
_PAGES = 40  # of trades
_FULL_PAGE = 50  # trades: no exchange gives fewer while there are more
# Public and the same for all, so kept for the process; by exchange and address.
_MARKETS_KEPT = 3_600.0  # seconds
_markets: dict[tuple[str, str], tuple[float, Any]] = {}
# Wrong keys in words that ccxt does not know, and takes for any refusal.
_WRONG_KEYS = ("EAPI:Invalid signature",)
# To make fees come in the quote currency, in which the books count them.
_PLACING: dict[str, dict[str, str]] = {"kraken": {"oflags": "fciq"}}
_Answer = TypeVar("_Answer")


class Client:
    """One account at its exchange. Every method raises VenueError, and only that."""

    def __init__(self, exchange: str, keys: Keys) -> None:
        self.exchange = exchange
        self._api = _api(exchange, apiKey=keys.key, secret=keys.secret, password=keys.passphrase)

    def prepare(self) -> None:
        """Learn what the exchange lists."""
        self._again(lambda: self._api.set_markets_from_exchange(_listed(self.exchange)))

    def place(self, ticket: Ticket) -> str:
        """Give the order to the exchange, once; gives its id there."""
        params: dict[str, Any] = {"clientOrderId": ticket.client_id}
        params |= _PLACING.get(self.exchange, {})
        if ticket.post_only:
            params["postOnly"] = True
        if ticket.type is OrderType.LIMIT and ticket.time_in_force != "gtc":
            params["timeInForce"] = ticket.time_in_force.upper()
        if ticket.stop_price is not None:
            params[self._stop_word(ticket.symbol)] = plain(ticket.stop_price)
        kind = "limit" if ticket.type is OrderType.LIMIT else "market"
        price = None if ticket.limit_price is None else plain(ticket.limit_price)
        _ask(lambda: self._must_be_exact(ticket))
        told = (ticket.symbol, kind, str(ticket.side), plain(ticket.quantity), price, params)
        return _ask(lambda: str(self._api.create_order(*told)["id"]))

    def cancel(self, venue_order_id: str, symbol: str) -> None:
        """Take an order back, if it is still open. Raises OrderUnknown as well."""
        _ask(lambda: self._api.cancel_order(venue_order_id, symbol))

    def find(self, ticket: Ticket) -> VenueOrder | None:
        """The order that came in by this client id, open or not; None when none has."""
        named = {"clientOrderId": ticket.client_id}
        # Far back: an exchange's clock may be behind ours, and what is missed here is placed twice.
        since = _milliseconds(ticket.created_at - timedelta(days=1))
        ended = "fetchClosedOrders" if self._api.has.get("fetchClosedOrders") else "fetchOrders"
        for method in ("fetchOpenOrders", ended):
            ask = partial(getattr(self._api, method), ticket.symbol, since, None, named)
            for row in self._again(ask):
                if row["clientOrderId"] == ticket.client_id:
                    return _order(row)
        return None

    def order(self, venue_order_id: str, symbol: str) -> VenueOrder:
        """One order by the exchange's id. Raises OrderUnknown as well."""
        try:
            return _order(self._again(lambda: self._api.fetch_order(venue_order_id, symbol)))
        except VenueRefused as fault:
            # All that can be wrong with this question is the order's id.
            if fault.code == "invalid_order":
                raise OrderUnknown("order_unknown") from None
            raise

    def open_orders(self) -> list[VenueOrder]:
        return [_order(row) for row in self._again(self._api.fetch_open_orders)]

    def trades(self, *, since: datetime, symbol: str | None = None) -> list[VenueTrade]:
        """The account's own, the oldest first; page by page backwards, as exchanges give them."""
        found: dict[str, VenueTrade] = {}
        until: dict[str, int] = {}
        for _ in range(_PAGES):
            ask = partial(self._api.fetch_my_trades, symbol, _milliseconds(since), None, until)
            page = [_trade(row) for row in self._again(ask)]
            is_last = len(page) < _FULL_PAGE or all(trade.id in found for trade in page)
            found |= {trade.id: trade for trade in page}
            if is_last:
                return sorted(found.values(), key=lambda trade: (trade.at, trade.id))
            until = {"until": _milliseconds(min(trade.at for trade in page))}
        raise VenueRefused("too_many_trades")

    def totals(self) -> dict[str, Decimal]:
        """What the account holds of each currency, free or not."""
        totals = self._again(self._api.fetch_balance)["total"]
        return {code: _exact(amount) for code, amount in totals.items() if amount is not None}

    def _again(self, read: Callable[[], _Answer]) -> _Answer:
        """A read, tried again when it came to nothing: it changes nothing at the exchange."""
        for pause in _PAUSES:
            try:
                return _ask(read)
            except (OutcomeUnknown, TryLater):
                time.sleep(pause)
        return _ask(read)

    def _stop_word(self, symbol: str) -> str:
        """By which parameter the exchange takes a stop."""
        for word in ("triggerPrice", "stopLossPrice"):
            if _ask(partial(self._api.feature_value, symbol, "createOrder", word)):
                return word
        raise VenueRefused("unsupported_order")

    def _must_be_exact(self, ticket: Ticket) -> None:
        """ccxt cuts to the exchange's steps without a word: another order than was asked for."""
        prices = [p for p in (ticket.limit_price, ticket.stop_price) if p is not None]
        cut = [self._api.price_to_precision(ticket.symbol, plain(price)) for price in prices]
        cut.append(self._api.amount_to_precision(ticket.symbol, plain(ticket.quantity)))
        if [Decimal(text) for text in cut] != [*prices, ticket.quantity]:
            raise VenueRefused("not_on_increments")


def _ask(call: Callable[[], _Answer]) -> _Answer:
    """ccxt's exceptions as ours: theirs, which may quote what was sent, go no further.

    ccxt also changes the decimal context of its thread; that is given back.
    """
    import ccxt

    try:
        with localcontext():
            return call()
    except VenueError:
        raise
    except (ccxt.BaseError, ArithmeticError, ValueError, LookupError, TypeError, OSError) as theirs:
        fault = _named(theirs)
    # Outside of the handler, so that the other one is not even its context.
    raise fault


def _named(theirs: Exception) -> VenueError:
    import ccxt

    for kind, ours, code in _kinds():
        if isinstance(theirs, kind):
            return ours(code)
    if any(text in str(theirs) for text in _WRONG_KEYS):
        return KeysRefused("credentials_refused")
    if isinstance(theirs, ccxt.ExchangeError):
        return VenueRefused("refused_by_venue")
    return OutcomeUnknown("no_answer")


def _kinds() -> tuple[tuple[type[Exception], type[VenueError], str], ...]:
    """The first that fits: special ones come before what they are special cases of."""
    import ccxt

    return (
        (ccxt.RateLimitExceeded, TryLater, "rate_limited"),
        (ccxt.DDoSProtection, TryLater, "rate_limited"),
        (ccxt.InvalidNonce, TryLater, "out_of_turn"),
        (ccxt.CancelPending, TryLater, "cancel_pending"),
        (ccxt.AuthenticationError, KeysRefused, "credentials_refused"),
        (ccxt.OrderNotFound, OrderUnknown, "order_unknown"),
        (ccxt.InsufficientFunds, VenueRefused, "insufficient_funds"),
        (ccxt.InvalidOrder, VenueRefused, "invalid_order"),
        (ccxt.BadSymbol, VenueRefused, "not_listed"),
        (ccxt.NotSupported, VenueRefused, "unsupported_order"),
        (ccxt.OperationFailed, OutcomeUnknown, "no_answer"),
        # A secret that is not even written as one of this exchange's.
        (binascii.Error, KeysRefused, "credentials_refused"),
    )


def _api(exchange: str, **keys: str) -> Any:
    """ccxt's object for one exchange; numbers stay text on their way to Decimal."""
    # Half a second that only those pay who call an exchange.
    import ccxt

    made = getattr(ccxt, exchange, None) if exchange in ccxt.exchanges else None
    if made is None:
        raise VenueRefused("unknown_exchange")
    api = made(
        {
            **keys,
            "timeout": _TIMEOUT,
            "enableRateLimit": True,
            "number": str,
            "on_json_response": partial(json.loads, parse_float=str),
        }
    )
    base = settings.VENUE_URLS.get(exchange)
    if base:
        api.urls["api"] = _moved(api.urls["api"], base)
    return api


def _listed(exchange: str) -> Any:
    """An object without keys that knows the exchange's markets."""
    place = (exchange, str(settings.VENUE_URLS.get(exchange, "")))
    until, kept = _markets.get(place, (0.0, None))
    if kept is None or time.monotonic() > until:
        kept = _api(exchange)
        kept.load_markets()
        _markets[place] = (time.monotonic() + _MARKETS_KEPT, kept)
    return kept


def _moved(urls: Any, base: str) -> Any:
    """The same addresses at another host."""
    if isinstance(urls, dict):
        return {name: _moved(url, base) for name, url in urls.items()}
    if not isinstance(urls, str):
        return urls
    to = urlsplit(base)
    return urlunsplit(urlsplit(urls)._replace(scheme=to.scheme, netloc=to.netloc))


def _order(row: Any) -> VenueOrder:
    return VenueOrder(
        id=str(row["id"]),
        client_id=str(row["clientOrderId"] or ""),
        symbol=str(row["symbol"] or ""),
        status=str(row["status"] or "open"),
        filled=_exact(row["filled"] or "0"),
    )


def _trade(row: Any) -> VenueTrade:
    fee = row["fee"] or {}
    return VenueTrade(
        id=str(row["id"]),
        order_id=str(row["order"] or ""),
        symbol=str(row["symbol"]),
        side=Side(row["side"]),
        quantity=_exact(row["amount"]),
        price=_exact(row["price"]),
        fee=_exact(fee.get("cost") or "0"),
        fee_currency=str(fee.get("currency") or ""),
        is_maker=None if row["takerOrMaker"] is None else row["takerOrMaker"] == "maker",
        at=datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=int(row["timestamp"])),
    )


def _exact(number: Any) -> Decimal:
    """Raises TypeError for a float, in which digits have been lost."""
    if isinstance(number, str | int):
        return Decimal(number)
    raise TypeError("a number of money came as a float")


def _milliseconds(at: datetime) -> int:
    return int(at.timestamp() * 1000)
