"""kill -9 of the feed, a worker, the web: started again, the books are what a replay says."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import psycopg
import pytest
from psycopg import sql

from tenants.tasks import HEADER
from tests import web
from tests.cast import House, Person, build_house, job, now
from tests.market import Market, list_instrument
from tests.scenarios.processes import (
    crowd,
    feeding,
    history,
    kill_all_of,
    trades,
    until,
    working,
)
from tests.scenarios.test_first_trade import open_account
from tests.scenarios.test_order_types import place
from tests.scenarios.test_replay import replayed
from tests.trading import books
from tests.web import Server, serve
from trading.models import Fill, Order
from trading.orders.states import OPEN
from trading.orders.tasks import expire_orders

Seat = tuple[House, str]  # a house, and an account of its Alice


@pytest.fixture
def market() -> Market:
    market = list_instrument()
    market.print_bar(open="100", high="101", low="99", close="100")
    return market


@pytest.fixture
def seats() -> list[Seat]:
    """One in each tier: whatever is killed serves both."""
    houses = [build_house(tier) for tier in ("starter", "enterprise")]
    return [(house, open_account(house.alice, amount="10000")) for house in houses]


def filled(seats: list[Seat]) -> int:
    total = 0
    for house, account in seats:
        with job(house.tenant):
            total += Fill.objects.filter(account=account).count()
    return total


def check(seats: list[Seat], market: Market) -> None:
    for house, account in seats:
        with job(house.tenant):
            books.check(account)
        assert replayed(house, account)["instruments"] == {market.symbol: True}


@pytest.mark.parametrize("coming", [history, trades], ids=["bars", "ticks"])
def test_a_feed_that_is_killed_again_and_again_loses_and_doubles_nothing(
    seats: list[Seat], market: Market, tmp_path: Path, coming: Callable[[Market, Path], Path]
) -> None:
    for house, account in seats:
        crowd(house.alice, account, market)
    file = coming(market, tmp_path)
    kills = 0
    for _ in range(3):
        process, before = feeding(file, market.symbol), filled(seats)
        deadline = time.monotonic() + 30
        while process.poll() is None and time.monotonic() < deadline:
            if filled(seats) > before + 1:
                process.kill()
                kills += 1
                break
            time.sleep(0.01)
        process.wait()
    assert kills > 1
    assert feeding(file, market.symbol).wait(timeout=120) == 0
    assert filled(seats) > 20
    check(seats, market)


def test_a_worker_killed_in_the_middle_of_matching_leaves_nothing_half_done(
    seats: list[Seat], market: Market, tmp_path: Path
) -> None:
    """The timer finds orders that a stored bar fills, and orders whose date has passed."""
    seats += [(house, open_named(house.alice, "second")) for house, _ in seats]
    for house, account in seats:
        due(house, account, market)
    market.print_bar(open="97", high="98", low="90", close="96")
    queue = f"killed-{uuid4().hex}"
    with locked_last(seats) as waiting, working(queue, tmp_path / "first.log") as worker:
        expire(seats, queue)
        until(waiting)
        kill_all_of(worker)
    assert filled(seats) == 0
    with working(queue, tmp_path / "second.log"):
        expire(seats, queue)
        until(lambda: not any(working_orders(seat) for seat in seats))
    assert filled(seats) == len(seats)
    check(seats, market)


def test_a_web_server_killed_among_orders_loses_no_answered_one_and_doubles_none(
    seats: list[Seat], market: Market
) -> None:
    clients = [Client(house.alice, account, market) for house, account in seats for _ in range(3)]
    with serve() as server, ThreadPoolExecutor(len(clients)) as pool:
        placing = [pool.submit(client.place_on, server) for client in clients]
        until(lambda: sum(len(client.answers) for client in clients) > 20)
        server.process.kill()
        for done in placing:
            done.result()
    market.feed_bar(open="100", high="101", low="97", close="98")
    with serve() as server:
        for client in clients:
            client.ask_again(server)
    market.feed_bar(open="98", high="101", low="90", close="98")
    for seat in seats:
        assert orders_of(seat) == {
            answer["id"]
            for client in clients
            if client.account == seat[1]
            for answer in client.answers.values()
        }
    assert filled(seats) > 20
    check(seats, market)


class Client:
    """Places one order after the other; each has a key, and an id of its own every second time."""

    def __init__(self, person: Person, account: str, market: Market) -> None:
        self.person, self.account, self.market = person, account, market
        self.sent: dict[str, dict[str, Any]] = {}
        self.answers: dict[str, dict[str, Any]] = {}

    def place_on(self, server: Server) -> None:
        """Until the server is gone."""
        while True:
            key = uuid4().hex
            price = str(99 - len(self.sent) % 8)
            body = {"account": self.account, "instrument": self.market.symbol, "side": "buy"}
            body |= {"type": "limit", "quantity": "0.1", "limit_price": price}
            self.sent[key] = {**body, **({"client_order_id": key} if len(self.sent) % 2 else {})}
            try:
                self.answers[key] = self._post(server, key)
            except httpx.TransportError:
                return

    def ask_again(self, server: Server) -> None:
        """For everything, as one does who is not sure."""
        assert len(self.answers) == len(self.sent) - 1
        for key in self.sent:
            answer = self._post(server, key)
            assert self.answers.setdefault(key, answer)["id"] == answer["id"]

    def _post(self, server: Server, key: str) -> dict[str, Any]:
        headers = {**self.person.headers}
        if "client_order_id" not in self.sent[key]:
            headers["Idempotency-Key"] = key
        url = f"{server.url}/api/v1/orders/"
        answer = web.ask("POST", url, json=self.sent[key], headers=headers, timeout=30)
        assert answer.status_code in (200, 201), answer.text
        return dict(answer.json())


def open_named(person: Person, name: str) -> str:
    account = str(person.post("accounts/", {"name": name}).json()["id"])
    money = {"currency": "USD", "amount": "10000"}
    assert person.post(f"accounts/{account}/deposit/", money).status_code == 201
    return account


def due(house: House, account: str, market: Market) -> None:
    """Two orders whose date has passed; the next bar fills one."""
    asked = {"side": "buy", "type": "limit", "quantity": "1", "time_in_force": "gtd"}
    asked["expires_at"] = (now() + timedelta(hours=1)).isoformat()
    for price in ("95", "50"):
        place(house.alice, account, market, **asked, limit_price=price)
    with job(house.tenant):
        rows = Order.objects.filter(account=account)
        rows.update(expires_at=now() - timedelta(minutes=1))


def expire(seats: list[Seat], queue: str) -> None:
    for tenant_id in {house.tenant.id for house, _ in seats}:
        expire_orders.apply_async(headers={HEADER: str(tenant_id)}, queue=queue)


@contextmanager
def locked_last(seats: list[Seat]) -> Iterator[Any]:
    """Locks each tenant's last account; gives whether somebody of each tenant waits for it."""
    last: dict[str, str] = {}
    for house, account in seats:
        schema = house.tenant.live_schema
        last[schema] = max(last.get(schema, ""), account)
    url = os.environ["DATABASE_SUPERUSER_URL"]
    with psycopg.connect(url) as holder, psycopg.connect(url, autocommit=True) as watcher:
        for schema, account in last.items():
            table = sql.Identifier(schema, "trading_account")
            row = sql.SQL("SELECT id FROM {} WHERE id = %s FOR UPDATE").format(table)
            assert holder.execute(row, [account]).fetchone()

        def waiting() -> bool:
            asked = "SELECT count(*) FROM pg_stat_activity WHERE %s = ANY (pg_blocking_pids(pid))"
            row = watcher.execute(asked, [holder.info.backend_pid]).fetchone()
            return row is not None and row[0] == len(last)

        yield waiting


def working_orders(seat: Seat) -> bool:
    house, account = seat
    with job(house.tenant):
        return Order.objects.filter(account=account, status__in=OPEN).exists()


def orders_of(seat: Seat) -> set[str]:
    house, account = seat
    with job(house.tenant):
        keys = Order.objects.filter(account=account).values_list("id", flat=True)
        return {str(key) for key in keys}
