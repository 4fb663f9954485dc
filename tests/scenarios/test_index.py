"""The open-order index: whom a price wakes, what is lost with Valkey, and how it comes back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from django.db import OperationalError, connection
from django.db.models import QuerySet
from psycopg.errors import QueryCanceled

from tenants import valkey
from tests.cast import House, Person, job, now
from tests.market import Market, list_instrument
from tests.scenarios.test_first_trade import open_account
from tests.scenarios.test_order_types import place, quiet, seen
from trading.brokers import actions as brokers
from trading.brokers.models import Account
from trading.orders import actions, execution, feed, index, reindexing
from trading.orders.index import Entry
from trading.orders.instructions import Instruction
from trading.values import OrderType, Side, TimeInForce

pytestmark = pytest.mark.by_turns


@pytest.fixture
def market() -> Market:
    market = list_instrument()
    market.feed_bar(open="100", high="101", low="99", close="100")
    return market


@pytest.fixture
def woken(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[UUID]]:
    """The accounts that a bar was brought to."""
    found: list[UUID] = []
    meet = execution.meet

    def noted(account_id: UUID, *rest: Any, **more: Any) -> int:
        found.append(account_id)
        return meet(account_id, *rest, **more)

    monkeypatch.setattr(execution, "meet", noted)
    yield found


def limit_buy(person: Person, account: str, market: Market, price: str) -> dict[str, Any]:
    asked = {"side": "buy", "type": "limit", "quantity": "1", "limit_price": price}
    return place(person, account, market, **asked)


def test_a_price_wakes_only_whom_it_concerns(
    house: House, market: Market, woken: list[UUID]
) -> None:
    near, far = open_account(house.alice), open_account(house.mallory)
    limit_buy(house.alice, near, market, "95")
    limit_buy(house.mallory, far, market, "50")
    quiet(market)
    assert set(map(str, woken)) == {near, far}, "a new order meets the next bar, whatever it brings"
    woken.clear()
    quiet(market)
    assert woken == []
    market.feed_bar(open="97", high="98", low="94", close="96")
    assert list(map(str, woken)) == [near]


def test_an_account_too_busy_to_be_locked_holds_up_nobody_else(
    house: House, market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is met after all others, by the same bar."""
    busy, other = open_account(house.alice), open_account(house.mallory)
    meet, calls = execution.meet, list[str]()

    def meet_unless_first(account_id: UUID, *rest: Any, **more: Any) -> int:
        calls.append(str(account_id))
        if str(account_id) == busy and calls.count(busy) == 1:
            raise OperationalError("too long") from QueryCanceled("too long")
        return meet(account_id, *rest, **more)

    for account, person in ((busy, house.alice), (other, house.mallory)):
        limit_buy(person, account, market, "95")
    monkeypatch.setattr(execution, "meet", meet_unless_first)
    market.feed_bar(open="97", high="98", low="94", close="96")
    assert calls[-1] == busy
    assert sorted(calls) == sorted([busy, busy, other])
    for person in (house.alice, house.mallory):
        assert person.get("orders/").json()["results"][0]["status"] == "filled"


def test_tenants_take_turns() -> None:
    a, b = UUID(int=1), UUID(int=2)
    accounts = [(a, UUID(int=n)) for n in range(11, 14)] + [(b, UUID(int=20))]
    tenants = [tenant for tenant, _ in feed.in_turns(accounts)]
    assert tenants == [a, b, a, a]


def test_a_lost_index_is_rebuilt_before_anything_is_matched(house: House, market: Market) -> None:
    alice = house.alice
    account = open_account(alice)
    order = limit_buy(alice, account, market, "95")
    quiet(market)
    keys = [f"open:{market.symbol}:{kind}" for kind in ("signed", "next", "below", "above")]
    valkey.client().delete(*keys, "open:complete")
    market.feed_bar(open="97", high="98", low="94", close="96")
    assert seen(alice, order)["status"] == "filled"


def test_the_timer_finds_an_order_that_is_missing(house: House, market: Market) -> None:
    account = open_account(house.alice)
    order = limit_buy(house.alice, account, market, "95")
    quiet(market)
    valkey.client().delete(f"open:{market.symbol}:signed", f"open:{market.symbol}:below")
    with job(house.tenant):
        assert reindexing.check() == 1
        assert reindexing.check() == 0
    market.feed_bar(open="97", high="98", low="94", close="96")
    assert seen(house.alice, order)["status"] == "filled"


def standing(symbol: str) -> dict[str, Any]:
    """All that the index says of an instrument; whose signature it is, changes."""
    client = valkey.client()
    found: dict[str, Any] = {
        kind: dict(client.zrange(f"open:{symbol}:{kind}", 0, -1, withscores=True))
        for kind in ("below", "above", "until")
    }
    found["next"] = client.smembers(f"open:{symbol}:next")
    return {**found, "signed": set(client.hkeys(f"open:{symbol}:signed"))}


def orders_of_every_kind(house: House, market: Market) -> None:
    """Each key of the index has members; the last order has met no bar yet."""
    alice = house.alice
    account = open_account(alice)
    dated = {"time_in_force": "gtd", "expires_at": (now() + timedelta(days=1)).isoformat()}
    asked = {"side": "buy", "quantity": "1"}
    place(alice, account, market, **asked, type="limit", limit_price="50", **dated)
    place(alice, account, market, **asked, type="stop", stop_price="150")
    quiet(market)
    limit_buy(alice, account, market, "60")


@pytest.mark.parametrize(
    ("deed", "kind"),
    [
        *(("drop", kind) for kind in ("signed", "next", "below", "above", "until")),
        *(("add", kind) for kind in ("next", "below", "above", "until")),
        *(("alter", kind) for kind in ("below", "above", "until")),
    ],
)
def test_the_timer_mends_whatever_is_wrong_about_an_open_order(
    house: House, market: Market, kind: str, deed: str
) -> None:
    orders_of_every_kind(house, market)
    right = standing(market.symbol)
    tamper(market.symbol, kind, deed, right)
    assert standing(market.symbol) != right
    with job(house.tenant):
        assert reindexing.check() > 0
    assert standing(market.symbol) == right
    with job(house.tenant):
        assert reindexing.check() == 0


def tamper(symbol: str, kind: str, deed: str, right: dict[str, Any]) -> None:
    """Drop what a key holds, add all orders to it, or move what it holds to another level."""
    client, key = valkey.client(), f"open:{symbol}:{kind}"
    if deed == "drop":
        client.delete(key)
    members = right["signed"] if deed == "add" else right[kind]
    for member in members if deed != "drop" else ():
        if kind == "next":
            client.sadd(key, member)
        else:
            client.zadd(key, {member: 42.0})


@pytest.mark.parametrize("kind", ["signed", "next", "below", "above", "until"])
def test_what_is_no_open_order_is_swept_out_of_every_key(
    house: House, market: Market, kind: str
) -> None:
    """Of an order that never was, of another tenant's account, and of a tenant that is no more."""
    orders_of_every_kind(house, market)
    right = standing(market.symbol)
    known = Entry.read(min(right["signed"]))
    strays = [
        replace(known, order_id=UUID(int=7)),
        replace(known, account_id=UUID(int=8)),
        replace(known, tenant_id=house.mallory.tenant.id),
        replace(known, tenant_id=UUID(int=9)),
    ]
    client, key = valkey.client(), f"open:{market.symbol}:{kind}"
    for stray in strays:
        if kind == "next":
            client.sadd(key, stray.member)
        elif kind == "signed":
            client.hset(key, stray.member, "somebody")
        else:
            client.zadd(key, {stray.member: 42.0})
    assert reindexing.sweep() >= len(strays)
    assert standing(market.symbol) == right


def test_an_order_on_its_way_is_not_swept_out(
    house: House, market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is announced before it is committed: whoever sweeps waits for its account."""
    account = open_account(house.alice)
    lock, locking = brokers.lock_in_order, list[int]()

    def noted(accounts: QuerySet[Account]) -> list[Account]:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            locking.append(cursor.fetchone()[0])
        return lock(accounts)

    monkeypatch.setattr(brokers, "lock_in_order", noted)
    with ThreadPoolExecutor(1) as pool, job(house.tenant):
        order, _ = actions.place(asked(account, market), now=now())
        sweeping = pool.submit(alone, reindexing.sweep)
        while not is_anybody_waiting(locking):
            assert not sweeping.done()
    sweeping.result()
    market.feed_bar(open="97", high="98", low="94", close="96")
    assert seen(house.alice, {"id": str(order.id)})["status"] == "filled"


def asked(account: str, market: Market) -> Instruction:
    return Instruction(
        account_id=UUID(account),
        instrument=market.symbol,
        side=Side.BUY,
        type=OrderType.MARKET,
        time_in_force=TimeInForce.GTC,
        quantity=Decimal(1),
    )


def alone(act: Callable[[], int]) -> int:
    """In a thread of its own, whose connection goes back to the pool."""
    try:
        return act()
    finally:
        connection.close()


def is_anybody_waiting(pids: list[int]) -> bool:
    """For the transaction of this thread."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT FROM unnest(%s::int[]) pid"
            " WHERE pg_backend_pid() = ANY (pg_blocking_pids(pid)))",
            [pids],
        )
        return bool(cursor.fetchone()[0])


def test_what_has_ended_leaves_the_index(house: House, market: Market) -> None:
    alice = house.alice
    account = open_account(alice)
    first, second = (limit_buy(alice, account, market, "95") for _ in range(2))
    quiet(market)
    alice.request("DELETE", f"orders/{first['id']}/")
    market.feed_bar(open="97", high="98", low="94", close="96")
    assert seen(alice, second)["status"] == "filled"
    client = valkey.client()
    assert client.hlen(f"open:{market.symbol}:signed") == 0
    assert client.zcard(f"open:{market.symbol}:below") == 0
    assert client.scard(f"open:{market.symbol}:next") == 0


def test_an_order_that_was_refused_leaves_no_trace_once_a_bar_came(
    house: House, market: Market
) -> None:
    """It is announced before its funds are looked at."""
    account = open_account(house.alice, amount="5")
    body = {"account": account, "instrument": market.symbol, "side": "buy", "type": "market"}
    assert house.alice.post("orders/", {**body, "quantity": "1"}).status_code == 422
    quiet(market)
    assert valkey.client().scard(f"open:{market.symbol}:next") == 0


def test_a_bar_stored_by_a_feed_that_died_is_matched_by_the_next(
    house: House, market: Market
) -> None:
    alice = house.alice
    account = open_account(alice)
    order = place(alice, account, market, side="buy", type="market", quantity="1")
    market.print_bar(open="101", high="102", low="100", close="101")
    assert seen(alice, order)["status"] == "accepted"
    assert feed.recover([market.symbol], now=now()) == 1
    assert feed.recover([market.symbol], now=now()) == 0
    assert seen(alice, order)["status"] == "filled"


def test_a_late_tidying_does_not_undo_a_later_move(house: House, market: Market) -> None:
    """Two moves of one order: the first one's tidying comes after the second has signed."""
    with job(house.tenant):
        entry = index.entry(UUID(int=7), UUID(int=8))
    symbol = market.symbol
    index.move(symbol, {entry: index.Levels(at_once=True)})
    token = valkey.client().hget(f"open:{symbol}:signed", entry.member)
    index.move(symbol, {entry: index.Levels(at_once=True)})
    index._tidy(symbol, token.decode(), {entry: ["next"]})
    assert valkey.client().sismember(f"open:{symbol}:next", entry.member)
    index.drop(symbol, [entry])
