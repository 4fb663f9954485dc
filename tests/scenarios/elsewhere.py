"""A trader at an installation of its own, in a process of its own, whose database is killed.

Says what was prepared, one line of JSON; then trades, writing each answered order's id, until its
standard input ends; then waits for the feed to be done with all bars, and checks the books.
"""

from __future__ import annotations

import json
import logging
import os
import select
import sys
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg

from tests.cast import House, build_house, job
from tests.market import Market, list_instrument
from tests.scenarios.processes import crowd, history
from tests.scenarios.test_first_trade import open_account
from tests.scenarios.test_replay import replayed
from tests.trading import books
from trading.models import Fill, Order

PRICE = "60"  # out of the market's reach
_PAUSE = 0.02  # seconds


def main(folder: str) -> None:
    logging.disable(logging.CRITICAL)  # the logs go to standard output too
    _widen_plans()
    market = list_instrument()
    market.print_bar(open="100", high="101", low="99", close="100")
    seats = [_seat(tier, market) for tier in ("starter", "enterprise")]
    _say({"symbol": market.symbol, "file": str(history(market, Path(folder)))})
    answered: dict[str, str] = {}
    refused = 0
    while not _is_over():
        for house, account in seats:
            refused += _place(house, account, market, answered)
    found = [_check(house, account, market) for house, account in seats]
    # All that was answered, once, and nothing else.
    assert {**found[0][1], **found[1][1]} == answered
    _say({"answered": len(answered), "refused": refused, "fills": sum(f for f, _ in found)})


def _seat(tier: str, market: Market) -> tuple[House, str]:
    house = build_house(tier)
    account = open_account(house.alice, amount="10000")
    crowd(house.alice, account, market)
    return house, account


def _place(house: House, account: str, market: Market, answered: dict[str, str]) -> int:
    """Place and cancel one order, asking until the answer comes; gives how often it was away."""
    body: dict[str, Any] = {"account": account, "instrument": market.symbol, "side": "buy"}
    body |= {"type": "limit", "quantity": "0.01", "limit_price": PRICE}
    body["client_order_id"] = uuid4().hex
    away = 0
    while (answer := house.alice.post("orders/", body)).status_code not in (200, 201):
        assert answer.status_code == 503, answer.content
        away += 1
        select.select([], [], [], _PAUSE)
    answered[body["client_order_id"]] = answer.json()["id"]
    while house.alice.request("DELETE", f"orders/{answer.json()['id']}/").status_code == 503:
        away += 1
        select.select([], [], [], _PAUSE)
    return away


def _check(house: House, account: str, market: Market) -> tuple[int, dict[str, str]]:
    """Fills, and the orders that were placed here: the books balance, the past is made again."""
    with job(house.tenant):
        books.check(account)
        fills = Fill.objects.filter(account=account).count()
        placed = Order.objects.filter(account=account, limit_price=PRICE)
        mine = {key: str(order) for key, order in placed.values_list("client_order_id", "id")}
    assert replayed(house, account)["instruments"] == {market.symbol: True}
    return fills, mine


def _widen_plans() -> None:
    with psycopg.connect(os.environ["DATABASE_SUPERUSER_URL"], autocommit=True) as connection:
        connection.execute(
            "UPDATE tenants_plan SET requests_per_minute = 10000000, concurrent_requests = 10000,"
            " server_ms_per_second = 1000000"
        )


def _is_over() -> bool:
    return bool(select.select([sys.stdin], [], [], _PAUSE)[0])


def _say(what: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()
