"""A small exchange on a local socket: the public part of Binance's REST API, in its own JSON."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

START = datetime(2024, 3, 4, tzinfo=UTC)
HOUR = timedelta(hours=1)
_PAGE = 500  # what Binance gives where no limit is asked for
_UNKNOWN = (400, {"code": -1121, "msg": "Invalid symbol."})
Answer = tuple[int, Any]


def milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


@dataclass
class Exchange:
    """`faults` answer the next requests to a path, one each, before the truth is told again."""

    base: str = field(default_factory=lambda: f"X{uuid4().hex[:8].upper()}")
    klines: list[list[Any]] = field(default_factory=list)
    trades: list[dict[str, Any]] = field(default_factory=list)
    faults: dict[str, list[Callable[[], Answer]]] = field(default_factory=dict)
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    most: int = 1000
    url: str = ""

    @property
    def symbol(self) -> str:
        return f"{self.base}/USDT"

    def print_hours(self, count: int, *, start: datetime = START, price: str = "100.10") -> None:
        for number in range(count):
            self.klines.append(kline(start + number * HOUR, price))

    def print_trades(self, *moments: datetime) -> None:
        for at in moments:
            self.trades.append(aggregate(1 + len(self.trades), at))

    def fail(self, path: str, *answers: Answer | Callable[[], Answer]) -> None:
        wrapped = [one if callable(one) else (lambda one=one: one) for one in answers]
        self.faults.setdefault(path, []).extend(wrapped)

    def count(self, path: str) -> int:
        return sum(1 for asked, _ in self.asked if asked == path)

    def answer(self, path: str, query: dict[str, str]) -> Answer:
        self.asked.append((path, query))
        if self.faults.get(path):
            return self.faults[path].pop(0)()
        if path == "/api/v3/exchangeInfo":
            return 200, self._exchange_info()
        if query.get("symbol") != f"{self.base}USDT":
            return _UNKNOWN
        told = {
            "/api/v3/klines": self._klines,
            "/api/v3/aggTrades": self._agg_trades,
            "/api/v3/ticker/24hr": self._ticker,
        }
        return (200, told[path](query)) if path in told else (404, {})

    def _klines(self, query: dict[str, str]) -> list[list[Any]]:
        first, limit = int(query.get("startTime", 0)), int(query.get("limit", _PAGE))
        rows = [row for row in self.klines if row[0] >= first]
        return rows[: min(limit, self.most)]

    def _agg_trades(self, query: dict[str, str]) -> list[dict[str, Any]]:
        first, last = int(query["startTime"]), int(query["endTime"])
        rows = [row for row in self.trades if first <= row["T"] <= last]
        return rows[: min(int(query.get("limit", _PAGE)), self.most)]

    def _ticker(self, query: dict[str, str]) -> dict[str, Any]:
        return {
            "symbol": query["symbol"],
            "priceChange": "-94.99999800",
            "priceChangePercent": "-95.960",
            "weightedAvgPrice": "0.29628482",
            "prevClosePrice": "0.10002000",
            "lastPrice": "4.00000200",
            "lastQty": "200.00000000",
            "bidPrice": "4.00000000",
            "bidQty": "100.00000000",
            "askPrice": "4.00000200",
            "askQty": "100.00000000",
            "openPrice": "99.00000000",
            "highPrice": "100.00000000",
            "lowPrice": "0.10000000",
            "volume": "8913.30000000",
            "quoteVolume": "15.30000000",
            "openTime": 1499783499040,
            "closeTime": 1499869899040,
            "firstId": 28385,
            "lastId": 28460,
            "count": 76,
        }

    def _exchange_info(self) -> dict[str, Any]:
        return {
            "timezone": "UTC",
            "serverTime": 1565246363776,
            "rateLimits": [],
            "exchangeFilters": [],
            "symbols": [market(self.base, "USDT"), market("OLD", "USDT", status="BREAK")],
        }


def kline(start: datetime, price: str, close: str | None = None) -> list[Any]:
    opened = milliseconds(start)
    closed = opened + 3_600_000 - 1
    prices = [price, "100.30", "100.10", close or "100.30"]
    return [opened, *prices, "148976.11427815", closed, "2434.19", 308, "1756.8", "28.4", "0"]


def aggregate(number: int, at: datetime) -> dict[str, Any]:
    ids = {"a": number, "f": number, "l": number}
    return {
        **ids,
        "p": "0.10000001",
        "q": "4.70443515",
        "T": milliseconds(at),
        "m": True,
        "M": True,
    }


def market(base: str, quote: str, status: str = "TRADING") -> dict[str, Any]:
    prices = {"minPrice": "0.01000000", "maxPrice": "1000000.00000000", "tickSize": "0.01000000"}
    lots = {"minQty": "0.00003000", "maxQty": "9000.00000000", "stepSize": "0.00001000"}
    return {
        "symbol": f"{base}{quote}",
        "status": status,
        "baseAsset": base,
        "baseAssetPrecision": 8,
        "quoteAsset": quote,
        "quotePrecision": 8,
        "quoteAssetPrecision": 8,
        "baseCommissionPrecision": 8,
        "quoteCommissionPrecision": 8,
        "orderTypes": ["LIMIT", "LIMIT_MAKER", "MARKET", "STOP_LOSS_LIMIT", "TAKE_PROFIT_LIMIT"],
        "icebergAllowed": True,
        "ocoAllowed": True,
        "quoteOrderQtyMarketAllowed": True,
        "allowTrailingStop": True,
        "cancelReplaceAllowed": True,
        "isSpotTradingAllowed": True,
        "isMarginTradingAllowed": False,
        "filters": [
            {"filterType": "PRICE_FILTER", **prices},
            {"filterType": "LOT_SIZE", **lots},
        ],
        "permissions": [],
        "permissionSets": [["SPOT"]],
        "defaultSelfTradePreventionMode": "NONE",
        "allowedSelfTradePreventionModes": ["NONE"],
    }


def late(seconds: float) -> Callable[[], Answer]:
    def answer() -> Answer:
        time.sleep(seconds)
        return 200, []

    return answer


@contextmanager
def opened() -> Iterator[Exchange]:
    exchange = Exchange()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            query = {name: values[0] for name, values in parse_qs(parts.query).items()}
            status, told = exchange.answer(parts.path, query)
            body = told if isinstance(told, bytes) else json.dumps(told).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments: Any) -> None:
            """Requests are kept in `asked`."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.handle_error = lambda *_: None  # clients that left
        exchange.url = f"http://127.0.0.1:{server.server_port}"
        Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield exchange
        server.shutdown()
