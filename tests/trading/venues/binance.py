"""The exchange of the tests as Binance shows itself: its documented spot API.

It wants a symbol named for trades, gives the oldest first, takes its fee of what was bought, and
refuses parameters that it does not know.
"""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Callable
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.trading.venues.exchange import Exchange, Holder, Refusal

_STATES = {"open": "NEW", "closed": "FILLED", "canceled": "CANCELED", "expired": "EXPIRED"}
_TYPES = {"LIMIT": "limit", "MARKET": "market", "LIMIT_MAKER": "limit"}
_SIGNED = {"timestamp", "recvWindow", "signature"}
_KNOWN = {
    "GET account": set[str](),
    "GET openOrders": {"symbol"},
    "GET order": {"symbol", "orderId", "origClientOrderId"},
    "DELETE order": {"symbol", "orderId", "origClientOrderId"},
    "GET myTrades": {"symbol", "startTime", "endTime", "limit", "fromId"},
    "POST order": {
        *("symbol", "side", "type", "quantity", "price", "stopPrice", "timeInForce"),
        *("newClientOrderId", "newOrderRespType"),
    },
}
PAGE = 500


class Binance(Exchange):
    refuses = 400

    def method(self, verb: str, path: str) -> str:
        return f"{verb} {path.rpartition('/')[2]}"

    def said(self, result: Any, error: str = "") -> Any:
        code, _, text = error.partition(":")
        return {"code": int(code or -1000), "msg": text} if result is None else result

    def _result(self, target: str, method: str, body: str, headers: Any) -> Any:
        if method == "GET exchangeInfo":
            return {"timezone": "UTC", "rateLimits": [], "symbols": self._symbols()}
        query = urlsplit(target).query or body
        holder = self._holder(query, headers)
        asked = {name: values[0] for name, values in parse_qs(query).items()}
        self.asked.append((holder.key, method, asked))
        if asked.keys() - _SIGNED - _KNOWN[method]:
            raise Refusal("-1104:Not all sent parameters were read.")
        if method == "GET myTrades" and "symbol" not in asked:
            raise Refusal("-1102:Mandatory parameter 'symbol' was not sent.")
        actions: dict[str, Callable[[Holder, dict[str, str]], Any]] = {
            "GET account": self._account,
            "GET openOrders": self._open,
            "GET order": self._order,
            "POST order": self._new,
            "DELETE order": self._delete,
            "GET myTrades": self._my_trades,
        }
        return actions[method](holder, asked)

    def _holder(self, query: str, headers: Any) -> Holder:
        """https://developers.binance.com/docs/binance-spot-api-docs/rest-api/request-security"""
        holder = self.holders.get(headers.get("X-MBX-APIKEY", ""))
        if holder is None:
            raise Refusal("-2015:Invalid API-key, IP, or permissions for action.")
        signed, _, signature = query.rpartition("&signature=")
        wanted = hmac.new(holder.secret.encode(), signed.encode(), hashlib.sha256).hexdigest()
        if signature != wanted:
            raise Refusal("-1022:Signature for this request is not valid.")
        return holder

    def _account(self, holder: Holder, asked: dict[str, str]) -> Any:
        balances = [
            {"asset": code, "free": f"{total:f}", "locked": "0"}
            for code, total in holder.totals.items()
        ]
        return {"accountType": "SPOT", "canTrade": True, "balances": balances}

    def _new(self, holder: Holder, asked: dict[str, str]) -> Any:
        named = asked["newClientOrderId"]
        if any(o["cl_ord_id"] == named and o["status"] == "open" for o in holder.orders.values()):
            raise Refusal("-2010:Duplicate order sent.")
        kind = {"pair": asked["symbol"], "type": asked["side"].lower()}
        kind |= {"ordertype": _TYPES[asked["type"]], "volume": asked["quantity"]}
        kind |= {"price": asked["price"]} if "price" in asked else {}
        txid = self._place(holder, {**kind, "cl_ord_id": named})
        if asked["type"] == "MARKET" and self.market_price is not None:
            self._execute(
                holder, txid, Decimal(asked["quantity"]), self.market_price, Decimal(0), maker=False
            )
        return self._shown(holder, txid)

    def _open(self, holder: Holder, asked: dict[str, str]) -> Any:
        pair = asked.get("symbol")
        return [
            self._shown(holder, txid)
            for txid, order in holder.orders.items()
            if order["status"] == "open" and pair in (None, order["descr"]["pair"])
        ]

    def _order(self, holder: Holder, asked: dict[str, str]) -> Any:
        return self._shown(holder, self._meant(holder, asked, "-2013:Order does not exist."))

    def _delete(self, holder: Holder, asked: dict[str, str]) -> Any:
        txid = self._meant(holder, asked, "-2011:Unknown order sent.")
        if holder.orders[txid]["status"] != "open":
            raise Refusal("-2011:Unknown order sent.")
        holder.orders[txid]["status"] = "canceled"
        return self._shown(holder, txid)

    def _meant(self, holder: Holder, asked: dict[str, str], otherwise: str) -> str:
        for txid, order in holder.orders.items():
            named = asked.get("origClientOrderId")
            if txid == asked.get("orderId") or (named and named == order["cl_ord_id"]):
                return txid
        raise Refusal(otherwise)

    def _my_trades(self, holder: Holder, asked: dict[str, str]) -> Any:
        """The oldest of the time asked for, five hundred at once; a day between two moments."""
        start, end = int(asked.get("startTime", 0)), int(asked.get("endTime", 2**60))
        if "endTime" in asked and end - start > 86_400_000:
            raise Refusal("-1127:More than 24 hours between startTime and endTime.")
        rows = [
            {
                "symbol": trade["pair"],
                "id": txid,
                "orderId": trade["ordertxid"],
                "price": trade["price"],
                "qty": trade["vol"],
                "quoteQty": trade["cost"],
                "commission": trade["fee"],
                "commissionAsset": trade["fee_in"],
                "time": int(trade["time"] * 1000),
                "isBuyer": trade["type"] == "buy",
                "isMaker": trade["maker"],
                "isBestMatch": True,
            }
            for txid, trade in holder.trades.items()
            if trade["pair"] == asked["symbol"] and start <= int(trade["time"] * 1000) <= end
        ]
        return sorted(rows, key=lambda row: row["time"])[:PAGE]

    def _shown(self, holder: Holder, txid: str) -> Any:
        order = holder.orders[txid]
        done = Decimal(order["vol_exec"])
        state = _STATES[order["status"]]
        return {
            "symbol": order["descr"]["pair"],
            "orderId": txid,
            "orderListId": -1,
            "clientOrderId": order["cl_ord_id"],
            "price": order["descr"]["price"],
            "origQty": order["vol"],
            "executedQty": order["vol_exec"],
            "cummulativeQuoteQty": "0",
            "status": "PARTIALLY_FILLED" if state == "NEW" and done else state,
            "timeInForce": "GTC",
            "type": order["descr"]["ordertype"].upper(),
            "side": order["descr"]["type"].upper(),
            "time": int(order["opentm"] * 1000),
            "updateTime": int(time.time() * 1000),
            "isWorking": True,
        }

    def _symbols(self) -> list[dict[str, Any]]:
        step = {"minQty": "0.00100000", "maxQty": "9000.0", "stepSize": "0.00000001"}
        return [
            {
                "symbol": name,
                "status": "TRADING",
                "baseAsset": base,
                "baseAssetPrecision": 8,
                "quoteAsset": quote,
                "quotePrecision": 8,
                "quoteAssetPrecision": 8,
                "orderTypes": ["LIMIT", "LIMIT_MAKER", "MARKET", "STOP_LOSS", "STOP_LOSS_LIMIT"],
                "isSpotTradingAllowed": True,
                "isMarginTradingAllowed": False,
                "filters": [
                    {
                        "filterType": "PRICE_FILTER",
                        "minPrice": "0.01",
                        "maxPrice": "1000000.00",
                        "tickSize": "0.01000000",
                    },
                    {"filterType": "LOT_SIZE", **step},
                ],
                "permissions": ["SPOT"],
            }
            for name, (base, quote) in self.pairs.items()
        ]
