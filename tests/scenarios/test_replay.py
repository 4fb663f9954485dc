"""What an account's orders and the market say, its books say: fills made again, byte for byte."""

from __future__ import annotations

import json
import random
from datetime import timedelta
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from tests.cast import House, Person, job, now
from tests.market import Market, list_instrument
from tests.scenarios.test_first_trade import open_account
from tests.scenarios.test_order_types import quiet
from trading.models import Fill
from trading.orders import actions, reproduction
from trading.values import OrderType

pytestmark = pytest.mark.by_turns

KINDS = ("market", "limit", "stop", "stop_limit", "trailing_stop", "bracket", "oco", "notional")


@pytest.fixture
def market() -> Market:
    market = list_instrument()
    market.print_bar(open="100", high="101", low="99", close="100")
    return market


def replayed(house: House, account: str) -> dict[str, Any]:
    out = StringIO()
    call_command("replay", house.tenant.slug, account, "--json", stdout=out)
    found: dict[str, Any] = json.loads(out.getvalue())
    return found


def asked(dice: random.Random, last: int) -> dict[str, Any]:
    """Some order around the last price; not each can be paid."""
    kind, side = dice.choice(KINDS), dice.choice(("buy", "sell"))
    near = [str(last + step) for step in (-6, -3, -1, 1, 3, 6)]
    body: dict[str, Any] = {"side": side, "type": kind, "quantity": str(dice.randint(1, 4))}
    if kind in ("limit", "stop_limit", "oco"):
        body["limit_price"] = dice.choice(near)
    if kind in ("stop", "stop_limit"):
        body["stop_price"] = dice.choice(near)
    if kind == "trailing_stop":
        body[dice.choice(("trail_amount", "trail_percent"))] = str(dice.randint(1, 4))
    if kind in ("bracket", "oco"):
        body["stop_loss"] = {"stop_price": str(last - dice.randint(2, 6))}
    if kind == "bracket":
        body |= {"side": "buy", "type": "market"}
        body["take_profit"] = {"limit_price": str(last + dice.randint(1, 6))}
    if kind == "oco":
        body |= {"side": "sell", "type": "limit", "order_class": "oco"}
    if kind == "notional":
        body |= {"type": "market", "notional": str(dice.randint(50, 400))}
        del body["quantity"]
    if kind in ("market", "limit"):
        body["time_in_force"] = dice.choice(("gtc", "ioc", "fok", "day"))
    return body


def disturb(dice: random.Random, person: Person, account: str) -> None:
    """What a trader does between bars: cancel this, replace that."""
    working = person.get(f"orders/?account={account}&status=accepted").json()["results"]
    for order in working:
        what = dice.random()
        if what < 0.15:
            person.request("DELETE", f"orders/{order['id']}/")
        elif what < 0.3 and order["limit_price"]:
            price = str(Decimal(order["limit_price"]) + dice.choice((-1, 1)))
            person.request("PATCH", f"orders/{order['id']}/", {"limit_price": price})


def walk(dice: random.Random, market: Market, last: int) -> int:
    """The next bar: sometimes thin, sometimes with a gap. Gives its close."""
    start = last + dice.choice((0, 0, 0, 0, -4, 4))
    close = start + dice.randint(-4, 4)
    high, low = max(start, close) + dice.randint(0, 3), min(start, close) - dice.randint(0, 3)
    volume = dice.choice(("0", "0", "12", "25", "1000"))
    market.feed_bar(open=str(start), high=str(high), low=str(low), close=str(close), volume=volume)
    return close


@pytest.mark.parametrize("seed", [1, 2, 8])
def test_a_random_trader_s_fills_are_made_again_from_orders_and_market(
    house: House, market: Market, seed: int
) -> None:
    alice, dice, last = house.alice, random.Random(seed), 100
    account = open_account(alice, amount="1500")
    placed = 0
    for _ in range(25):
        for _ in range(dice.randint(0, 3)):
            body = {"account": account, "instrument": market.symbol, **asked(dice, last)}
            placed += alice.post("orders/", body).status_code == 201
        disturb(dice, alice, account)
        last = max(walk(dice, market, last), 40)
    found = replayed(house, account)
    with job(house.tenant):
        made = Fill.objects.filter(account=account).count()
    assert placed > 10
    assert made > 5
    assert found["instruments"] == {market.symbol: True}


def test_a_fill_that_no_order_explains_is_found(
    house: House, market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The comparison compares: an engine with another rule gives other fills."""
    alice = house.alice
    account = open_account(alice)
    body = {"account": account, "instrument": market.symbol, "side": "buy", "type": "market"}
    alice.post("orders/", {**body, "quantity": "1"})
    quiet(market)
    assert replayed(house, account)["instruments"] == {market.symbol: True}
    monkeypatch.setattr(reproduction.matching, "step", _late(reproduction.matching.step))
    with pytest.raises(CommandError, match=market.symbol):
        replayed(house, account)


def _late(step: Any) -> Any:
    """An engine that fills market orders at nothing."""

    def stepped(orders: Any, *rest: Any, **more: Any) -> Any:
        return step([o for o in orders if o.type is not OrderType.MARKET], *rest, **more)

    return stepped


def test_an_order_taken_back_before_there_was_a_market_is_not_met_by_it(house: House) -> None:
    alice, market = house.alice, list_instrument()
    account = open_account(alice)
    body = {"account": account, "instrument": market.symbol, "side": "buy", "type": "limit"}
    kept, gone = (
        alice.post("orders/", {**body, "quantity": "1", "limit_price": "95"}).json()
        for _ in range(2)
    )
    assert alice.request("DELETE", f"orders/{gone['id']}/").status_code == 200
    market.feed_bar(open="97", high="98", low="90", close="96")
    assert alice.get(f"orders/{kept['id']}/").json()["status"] == "filled"
    assert replayed(house, account)["instruments"] == {market.symbol: True}


def test_an_order_that_the_timer_ended_is_not_met_by_a_market_of_the_past(
    house: House, market: Market
) -> None:
    """The clock is ahead of a history that is replayed."""
    alice = house.alice
    account = open_account(alice)
    body = {"account": account, "instrument": market.symbol, "side": "buy", "type": "limit"}
    body |= {"quantity": "1", "limit_price": "95"}
    ends = {"time_in_force": "gtd", "expires_at": (now() + timedelta(hours=1)).isoformat()}
    kept, due = (alice.post("orders/", {**body, **more}).json() for more in ({}, ends))
    quiet(market)
    with job(house.tenant):
        assert actions.expire_due(now=now() + timedelta(hours=2)) == 1
    market.feed_bar(open="97", high="98", low="90", close="96")
    statuses = [alice.get(f"orders/{order['id']}/").json()["status"] for order in (kept, due)]
    assert statuses == ["filled", "expired"]
    assert replayed(house, account)["instruments"] == {market.symbol: True}
