"""An exchange on a socket: Kraken's documented private REST API, with accounts, orders and trades.

It checks each request's signature with the secret of the key that it names, and remembers who
asked for what.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from typing import Any, TypeVar
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

PREFIX = "/0/private/"


E = TypeVar("E", bound="Exchange")


class Refusal(Exception):
    """What the exchange answers instead, in its own words."""


@dataclass
class Holder:
    """One customer of the exchange."""

    key: str
    secret: str
    totals: dict[str, Decimal]
    orders: dict[str, dict[str, Any]] = field(default_factory=dict)
    trades: dict[str, dict[str, Any]] = field(default_factory=dict)
    nonce: int = 0


@dataclass(frozen=True)
class Fault:
    """Something that goes wrong once: before the request is looked at, or after it was done."""

    status: int = 200
    error: str = ""
    is_after: bool = False
    hangs: float = 0.0  # seconds


class Exchange:
    """The exchange's side; tests act on it by its methods, clients by HTTP."""

    refuses = 200  # with what status

    def __init__(self) -> None:
        self.url = ""
        self.pairs: dict[str, tuple[str, str]] = {}
        self.holders: dict[str, Holder] = {}
        self.asked: list[tuple[str, str, dict[str, str]]] = []  # key, method, body
        self.faults: dict[str, deque[Fault]] = defaultdict(deque)
        self.hooks: dict[str, Callable[[], None]] = {}  # run once, before the method answers
        self.market_price: Decimal | None = None  # at which market orders are filled at once
        self._numbers = count(1)
        self._lock = threading.RLock()

    def open(self, **totals: str) -> Holder:
        """A customer with some money, and a key."""
        secret = base64.b64encode(uuid4().bytes * 4).decode()
        holder = Holder(f"key-{uuid4().hex}", secret, {c: Decimal(t) for c, t in totals.items()})
        self.holders[holder.key] = holder
        return holder

    def list(self, symbol: str) -> None:
        base, quote = symbol.split("/")
        self.pairs[f"{base}{quote}"] = (base, quote)

    def fail(self, method: str, *faults: Fault) -> None:
        self.faults[method].extend(faults)

    def calls(self, method: str, key: str | None = None) -> int:
        return sum(m == method and key in (None, k) for k, m, _ in self.asked)

    def place_elsewhere(self, holder: Holder, symbol: str, side: str, volume: str) -> str:
        """An order that came in by another door."""
        asked = {"pair": symbol.replace("/", ""), "type": side, "ordertype": "limit"}
        return self._place(holder, {**asked, "volume": volume, "price": "1"})

    def execute(
        self,
        txid: str,
        volume: str,
        price: str,
        *,
        fee: str = "0",
        fee_in: str = "",
        maker: bool = True,
    ) -> str:
        """Fill (a part of) an order, whatever its state; gives the trade's id.

        The fee is taken in the quote currency unless it is said to be in another.
        """
        with self._lock:
            holder = next(h for h in self.holders.values() if txid in h.orders)
            numbers = map(Decimal, (volume, price, fee))
            return self._execute(holder, txid, *numbers, fee_in=fee_in, maker=maker)

    def cancel(self, txid: str, status: str = "canceled") -> None:
        with self._lock:
            holder = next(h for h in self.holders.values() if txid in h.orders)
            holder.orders[txid]["status"] = status

    def orders_of(self, holder: Holder) -> list[str]:
        return list(holder.orders)

    def answer(self, verb: str, target: str, body: str, headers: Any) -> tuple[int, Any, float]:
        """Status, JSON and how long it takes."""
        method = self.method(verb, urlsplit(target).path)
        with self._lock:
            if hook := self.hooks.pop(method, None):
                hook()
            fault = self.faults[method].popleft() if self.faults[method] else Fault()
            if not fault.is_after and (fault.error or fault.status != 200 or fault.hangs):
                self.asked.append((headers.get("API-Key", ""), method, {}))
                return fault.status, self.said(None, fault.error), fault.hangs
            try:
                result = self._result(target, method, body, headers)
            except Refusal as no:
                return self.refuses, self.said(None, str(no)), 0.0
            if fault.is_after:
                return fault.status, self.said(None, fault.error), fault.hangs
            return 200, self.said(result), 0.0

    def method(self, verb: str, path: str) -> str:
        """What a request is called in `faults`, `hooks` and `calls`."""
        return path.rpartition("/")[2]

    def said(self, result: Any, error: str = "") -> Any:
        if error or result is None:
            return {"error": [error] if error else []}
        return {"error": [], "result": result}

    def _result(self, target: str, method: str, body: str, headers: Any) -> Any:
        path = urlsplit(target).path
        if not path.startswith(PREFIX):
            return {"Assets": self._assets, "AssetPairs": self._asset_pairs, "Time": self._time}[
                method
            ]()
        holder = self._authenticated(path, body, headers)
        asked = {name: values[0] for name, values in parse_qs(body).items()}
        self.asked.append((holder.key, method, asked))
        actions: dict[str, Callable[[Holder, dict[str, str]], Any]] = {
            "AddOrder": self._add_order,
            "CancelOrder": self._cancel_order,
            "QueryOrders": self._query_orders,
            "OpenOrders": self._open_orders,
            "ClosedOrders": self._closed_orders,
            "TradesHistory": self._trades_history,
            "BalanceEx": self._balance,
        }
        return actions[method](holder, asked)

    def _authenticated(self, path: str, body: str, headers: Any) -> Holder:
        """https://docs.kraken.com/api/docs/guides/spot-rest-auth"""
        holder = self.holders.get(headers.get("API-Key", ""))
        if holder is None:
            raise Refusal("EAPI:Invalid key")
        nonce = parse_qs(body)["nonce"][0]
        digest = path.encode() + hashlib.sha256((nonce + body).encode()).digest()
        wanted = hmac.new(base64.b64decode(holder.secret), digest, hashlib.sha512).digest()
        if base64.b64encode(wanted).decode() != headers.get("API-Sign"):
            raise Refusal("EAPI:Invalid signature")
        if int(nonce) <= holder.nonce:
            raise Refusal("EAPI:Invalid nonce")
        holder.nonce = int(nonce)
        return holder

    def _add_order(self, holder: Holder, asked: dict[str, str]) -> Any:
        named = asked.get("cl_ord_id", "")
        if any(o["cl_ord_id"] == named and o["status"] == "open" for o in holder.orders.values()):
            raise Refusal("EOrder:Invalid order:cl_ord_id")
        txid = self._place(holder, asked)
        if asked["ordertype"] == "market" and self.market_price is not None:
            fee = self.market_price * Decimal(asked["volume"]) / 1000
            volume = Decimal(asked["volume"])
            self._execute(holder, txid, volume, self.market_price, fee, maker=False)
        return {"txid": [txid], "descr": {"order": _description(asked)}}

    def _place(self, holder: Holder, asked: dict[str, str]) -> str:
        base, quote = self.pairs[asked["pair"]]
        self._check_means(holder, asked, base, quote)
        txid = f"O{next(self._numbers):05}-{uuid4().hex[:6].upper()}"
        holder.orders[txid] = {
            "refid": None,
            "userref": None,
            "cl_ord_id": asked.get("cl_ord_id", ""),
            "status": "open",
            "opentm": time.time(),
            "starttm": 0,
            "expiretm": 0,
            "descr": {
                "pair": asked["pair"],
                "type": asked["type"],
                "ordertype": asked["ordertype"],
                "price": asked.get("price", "0"),
                "price2": "0",
                "leverage": "none",
                "order": _description(asked),
                "close": "",
            },
            "vol": asked["volume"],
            "vol_exec": "0.00000000",
            "cost": "0.00000",
            "fee": "0.00000",
            "price": "0.00000",
            "stopprice": "0.00000",
            "limitprice": "0.00000",
            "misc": "",
            "oflags": asked.get("oflags", "fciq"),
        }
        return txid

    def _check_means(self, holder: Holder, asked: dict[str, str], base: str, quote: str) -> None:
        needed = Decimal(asked["volume"])
        if asked["type"] == "buy":
            base, needed = quote, needed * Decimal(asked.get("price") or self.market_price or 0)
        if holder.totals.get(base, Decimal(0)) < needed:
            raise Refusal("EOrder:Insufficient funds")

    def _execute(
        self,
        holder: Holder,
        txid: str,
        volume: Decimal,
        price: Decimal,
        fee: Decimal,
        *,
        fee_in: str = "",
        maker: bool,
    ) -> str:
        order = holder.orders[txid]
        base, quote = self.pairs[order["descr"]["pair"]]
        sign = 1 if order["descr"]["type"] == "buy" else -1
        totals = holder.totals
        totals[base] = totals.get(base, Decimal(0)) + sign * volume
        totals[quote] = totals.get(quote, Decimal(0)) - sign * volume * price
        totals[fee_in or quote] = totals.get(fee_in or quote, Decimal(0)) - fee
        done = Decimal(order["vol_exec"]) + volume
        order["vol_exec"] = f"{done:f}"
        if done >= Decimal(order["vol"]):
            order["status"] = "closed"
        trade = f"T{next(self._numbers):05}-{uuid4().hex[:6].upper()}"
        holder.trades[trade] = {
            "ordertxid": txid,
            "postxid": "TKH2SE-M7IF5-CFI7LT",
            "pair": order["descr"]["pair"],
            "time": time.time(),
            "type": order["descr"]["type"],
            "ordertype": order["descr"]["ordertype"],
            "price": f"{price:f}",
            "cost": f"{price * volume:f}",
            "fee": f"{fee:f}",
            "fee_in": fee_in or quote,
            "vol": f"{volume:f}",
            "margin": "0.00000",
            "misc": "",
            "maker": maker,
        }
        return trade

    def _cancel_order(self, holder: Holder, asked: dict[str, str]) -> Any:
        order = holder.orders.get(asked["txid"])
        if order is None or order["status"] != "open":
            raise Refusal("EOrder:Unknown order")
        order["status"] = "canceled"
        return {"count": 1}

    def _query_orders(self, holder: Holder, asked: dict[str, str]) -> Any:
        found = holder.orders.get(asked["txid"])
        if found is None:
            raise Refusal("EOrder:Unknown order")
        return {asked["txid"]: found}

    def _open_orders(self, holder: Holder, asked: dict[str, str]) -> Any:
        return {"open": _named(holder, asked, lambda order: order["status"] == "open")}

    def _closed_orders(self, holder: Holder, asked: dict[str, str]) -> Any:
        closed = _named(holder, asked, lambda order: order["status"] != "open")
        return {"closed": closed, "count": len(closed)}

    def _trades_history(self, holder: Holder, asked: dict[str, str]) -> Any:
        """Fifty, the newest first, as Kraken gives them; moments in whole seconds."""
        start, end = int(asked.get("start", 0)), float(asked.get("end", "inf"))
        rows = [(k, t) for k, t in holder.trades.items() if start < t["time"] <= end]
        newest = sorted(rows, key=lambda row: row[1]["time"], reverse=True)
        skipped = int(asked.get("ofs", 0))
        return {"trades": dict(newest[skipped : skipped + 50]), "count": len(rows)}

    def _balance(self, holder: Holder, asked: dict[str, str]) -> Any:
        return {
            code: {"balance": f"{total:f}", "hold_trade": "0.0000"}
            for code, total in holder.totals.items()
        }

    def _assets(self) -> Any:
        names = {name for pair in self.pairs.values() for name in pair}
        details = {"aclass": "currency", "decimals": 10, "display_decimals": 5, "status": "enabled"}
        return {name: {**details, "altname": name} for name in names}

    def _asset_pairs(self) -> Any:
        return {
            name: {
                "altname": name,
                "wsname": f"{base}/{quote}",
                "aclass_base": "currency",
                "base": base,
                "aclass_quote": "currency",
                "quote": quote,
                "lot": "unit",
                "pair_decimals": 2,
                "lot_decimals": 8,
                "lot_multiplier": 1,
                "leverage_buy": [],
                "leverage_sell": [],
                "fees": [[0, 0.26]],
                "fees_maker": [[0, 0.16]],
                "fee_volume_currency": "USD",
                "margin_call": 80,
                "margin_stop": 40,
                "ordermin": "0.001",
                "status": "online",
            }
            for name, (base, quote) in self.pairs.items()
        }

    def _time(self) -> Any:
        return {"unixtime": int(time.time())}


@contextmanager
def serving(exchange: E) -> Iterator[E]:
    """The exchange on a port of its own."""

    class Handler(BaseHTTPRequestHandler):
        def _respond(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            status, said, seconds = exchange.answer(self.command, self.path, body, self.headers)
            time.sleep(seconds)
            text = json.dumps(said).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        do_GET = do_POST = do_DELETE = _respond  # noqa: N815 - names of http.server

        def log_message(self, *_: Any) -> None:
            """Says nothing."""

        def handle_one_request(self) -> None:
            """Clients that have given up are no fault of the server's."""
            try:
                super().handle_one_request()
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    exchange.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield exchange
    finally:
        server.shutdown()
        server.server_close()


def _named(holder: Holder, asked: dict[str, str], fits: Callable[[Any], bool]) -> dict[str, Any]:
    wanted = asked.get("cl_ord_id")
    return {
        txid: order
        for txid, order in holder.orders.items()
        if fits(order) and wanted in (None, order["cl_ord_id"])
    }


def _description(asked: dict[str, str]) -> str:
    price = f"{asked['ordertype']} {asked['price']}" if "price" in asked else asked["ordertype"]
    return f"{asked['type']} {asked['volume']} {asked['pair']} @ {price}"
