"""A thin client over ccxt for one account: made with its keys, used for one task, forgotten."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any, TypeVar

from trading.brokers.credentials import Keys
from trading.values import OrderType, Side, plain
from trading.venues import connection, pages
from trading.venues.errors import OrderUnknown, OutcomeUnknown, TryLater, VenueRefused
from trading.venues.facts import Ticket, VenueOrder, VenueTrade

# Seconds from which on nothing more is asked: of an attempt at an intent, with a call that has
# begun then, it is over before `ABANDONED` lets another take it up.
PATIENCE = 100.0
_AT_ONCE = frozenset({"ioc", "fok"})
_PAUSES = (0.2, 0.8)  # seconds, before a read is tried again
# To make fees come in the quote currency where that can be asked for.
_PLACING: dict[str, dict[str, str]] = {"kraken": {"oflags": "fciq"}}
# Those that look for a client id when they are asked to; others refuse what they do not know.
_FINDING: dict[str, str] = {"kraken": "clientOrderId"}
# Those that cut time into seconds only, in one of which there can be more than a page shows.
_SKIPPING: dict[str, str] = {"kraken": "ofs"}
_DEEPEST = 500  # trades
# Those that give one order by its client id.
_ASKED_BY_NAME = frozenset({"binance", "binanceus", "mexc", "okx"})
_Answer = TypeVar("_Answer")


class Client:
    """One account at its exchange. Every method raises VenueError, and only that."""

    def __init__(self, exchange: str, keys: Keys, *, patience: float = PATIENCE) -> None:
        self.exchange = exchange
        self._until = time.monotonic() + patience
        self._api = connection.api(
            exchange, apiKey=keys.key, secret=keys.secret, password=keys.passphrase
        )

    def prepare(self) -> None:
        """Learn what the exchange lists."""
        self._again(lambda: self._api.set_markets_from_exchange(connection.listed(self.exchange)))

    def place(self, ticket: Ticket) -> str:
        """Give the order to the exchange, once; gives its id there."""
        params: dict[str, Any] = {"clientOrderId": ticket.client_id}
        params |= _PLACING.get(self.exchange, {})
        if ticket.post_only:
            params["postOnly"] = True
        if ticket.type is OrderType.LIMIT and ticket.time_in_force in _AT_ONCE:
            params["timeInForce"] = ticket.time_in_force.upper()
        if ticket.stop_price is not None:
            params |= self._stop(ticket)
        kind = "market" if ticket.limit_price is None else "limit"
        price = None if ticket.limit_price is None else plain(ticket.limit_price)
        connection.ask(lambda: self._must_be_exact(ticket))
        self._in_time()
        told = (ticket.symbol, kind, str(ticket.side), plain(ticket.quantity), price, params)
        return connection.ask(lambda: str(self._api.create_order(*told)["id"]))

    def cancel(self, venue_order_id: str, symbol: str) -> None:
        """Take an order back, if it is still open. Raises OrderUnknown as well."""
        connection.ask(lambda: self._api.cancel_order(venue_order_id, symbol))

    def find(self, ticket: Ticket) -> VenueOrder | None:
        """The order that came in by this client id, open or not; None when none has."""
        if self.exchange in _ASKED_BY_NAME:
            return self._by_name(ticket)
        by = _FINDING.get(self.exchange)
        named = {} if by is None else {by: ticket.client_id}
        # Far back: an exchange's clock may be behind ours, and what is missed here is placed twice.
        since = _milliseconds(ticket.created_at - timedelta(days=1))
        ended = "fetchClosedOrders" if self._api.has.get("fetchClosedOrders") else "fetchOrders"
        for method in ("fetchOpenOrders", ended):
            ask = partial(getattr(self._api, method), ticket.symbol, since, None, named)
            for row in self._again(ask):
                if row["clientOrderId"] == ticket.client_id:
                    return _order(row)
        return None

    def _by_name(self, ticket: Ticket) -> VenueOrder | None:
        named = {"clientOrderId": ticket.client_id}
        try:
            return _order(self._again(lambda: self._api.fetch_order("", ticket.symbol, named)))
        except OrderUnknown:
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

    def open_orders(self, symbols: Iterable[str]) -> list[VenueOrder]:
        """All of the account; of `symbols` alone where the exchange wants one named."""
        ask = self._api.fetch_open_orders
        return [
            _order(row)
            for symbol in self._named("fetchOpenOrders", symbols)
            for row in self._again(partial(ask, symbol))
        ]

    def trades(
        self, symbols: Iterable[str], *, since: datetime, now: datetime
    ) -> pages.Gathered[VenueTrade]:
        """The account's own from `since` on, the oldest first; of `symbols` alone as above."""
        found = [
            pages.gather(partial(self._page, symbol), since=since, now=now, widest=self._widest())
            for symbol in self._named("fetchMyTrades", symbols)
        ]
        return pages.together(found)

    def totals(self) -> dict[str, Decimal]:
        """What the account holds of each currency, free or not."""
        totals = self._again(self._api.fetch_balance)["total"]
        return {code: _exact(amount) for code, amount in totals.items() if amount is not None}

    def _page(
        self, symbol: str | None, since: datetime, until: datetime | None
    ) -> list[VenueTrade]:
        """As many as the exchange gives at once, of whichever end."""
        asked: dict[str, Any] = {} if until is None else {"until": _milliseconds(until)}
        found: list[VenueTrade] = []
        for skipped in range(0, _DEEPEST, pages.FULL):
            if skipped:
                asked |= {_SKIPPING[self.exchange]: skipped}
            read = partial(self._api.fetch_my_trades, symbol, _milliseconds(since), None, asked)
            page = [_trade(row) for row in self._again(read)]
            found += page
            if self.exchange not in _SKIPPING or len(page) < pages.FULL:
                break
        return found

    def _named(self, method: str, symbols: Iterable[str]) -> list[str | None]:
        """By which symbols to ask: None for all at once, where ccxt says that this is enough."""
        if self._feature(method, "symbolRequired") is False:
            return [None]
        return [symbol for symbol in sorted(symbols) if symbol in self._api.markets]

    def _widest(self) -> timedelta | None:
        """The longest time that may be asked about at once; None where ccxt knows of no bound."""
        days = self._feature("fetchMyTrades", "untilDays")
        return None if days is None else timedelta(days=int(days))

    def _feature(self, method: str, name: str) -> Any:
        """What ccxt knows of a method of this exchange's spot markets; None for nothing."""
        return connection.ask(lambda: self._api.feature_value_by_type("spot", None, method, name))

    def _in_time(self) -> None:
        if time.monotonic() > self._until:
            raise TryLater("too_slow")

    def _again(self, read: Callable[[], _Answer]) -> _Answer:
        """A read, tried again when it came to nothing: it changes nothing at the exchange."""
        for pause in _PAUSES:
            self._in_time()
            try:
                return connection.ask(read)
            except (OutcomeUnknown, TryLater):
                time.sleep(pause)
        return connection.ask(read)

    def _stop(self, ticket: Ticket) -> dict[str, str]:
        """A stop in the words of the exchange; a purchase waits for a rise, a sale for a fall."""
        way = "ascending" if ticket.side is Side.BUY else "descending"
        told = {"triggerDirection": way} if self._feature("createOrder", "triggerDirection") else {}
        for word in ("triggerPrice", "stopLossPrice"):
            if self._feature("createOrder", word):
                return {**told, word: plain(ticket.stop_price or Decimal(0))}
        raise VenueRefused("unsupported_order")

    def _must_be_exact(self, ticket: Ticket) -> None:
        """ccxt cuts to the exchange's steps without a word: another order than was asked for."""
        prices = [p for p in (ticket.limit_price, ticket.stop_price) if p is not None]
        cut = [self._api.price_to_precision(ticket.symbol, plain(price)) for price in prices]
        cut.append(self._api.amount_to_precision(ticket.symbol, plain(ticket.quantity)))
        if [Decimal(text) for text in cut] != [*prices, ticket.quantity]:
            raise VenueRefused("not_on_increments")


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
