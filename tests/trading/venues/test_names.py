"""The exchanges that accounts may name are those that ccxt can do all of it at."""

from __future__ import annotations

import ccxt

from trading.brokers import exchanges

_NEEDED = (
    *("createOrder", "cancelOrder", "fetchOrder", "fetchOpenOrders"),
    *("fetchMyTrades", "fetchBalance", "spot"),
)


def able(name: str) -> bool:
    has = getattr(ccxt, name)().has
    return all(has.get(word) for word in _NEEDED) and bool(
        has.get("fetchClosedOrders") or has.get("fetchOrders")
    )


def test_the_listed_exchanges_are_those_that_can_be_traded_at() -> None:
    assert {name for name in ccxt.exchanges if able(name)} == exchanges.NAMES
