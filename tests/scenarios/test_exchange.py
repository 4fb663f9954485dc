"""An order at an exchange through real processes: the web, a worker, ccxt, an exchange's server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from websockets.sync.client import ClientConnection, connect

from tests import web
from tests.cast import House, build_house, job
from tests.market import list_instrument
from tests.scenarios.processes import kill_all_of, until, working
from tests.trading.venues.desk import Desk, Seat
from tests.trading.venues.exchange import Exchange, Fault, serving
from tests.web import Server, serve
from trading.models import VenueIntent
from trading.orders.querysets import ABANDONED
from trading.venues import tasks


@dataclass
class Floor:
    """A trader's desk, with the queue and the environment of the processes that serve it."""

    desk: Desk
    queue: str
    environment: dict[str, str]

    def look_after(self, seat: Seat) -> None:
        """As the timer has every tenant's accounts looked after."""
        names = (str(seat.tenant_id), "timer")
        tasks.look_after.apply_async(names, queue=self.queue)

    def place(self, server: Server, seat: Seat, **asked: Any) -> str:
        url, body = f"{server.url}/api/v1/orders/", self.desk.asked(seat, **asked)
        answer = web.ask("POST", url, json=body, headers=seat.person.headers, timeout=30)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    def reports(self, seat: Seat) -> list[Any]:
        path = f"accounts/{seat.account}/reconciliations/"
        found: list[Any] = seat.person.get(path).json()["results"]
        return found

    def opened(self, house: House) -> Seat:
        """An account whose money the worker has seen at the exchange."""
        seat = self.desk.unseen(house.alice, USD="10000")
        self.look_after(seat)
        until(lambda: self.desk.money(seat).get("USD", {}).get("total") == "10000")
        return seat


@pytest.fixture
def exchange() -> Iterator[Exchange]:
    with serving(Exchange()) as running:
        yield running


@pytest.fixture
def floor(exchange: Exchange) -> Floor:
    market = list_instrument()
    market.print_bar(open="100", high="101", low="99", close="100")
    exchange.list(market.symbol)
    name = f"venue-{uuid4().hex}"
    environment = {"PYTEST_XDIST_WORKER": name, "VENUE_URLS": json.dumps({"kraken": exchange.url})}
    return Floor(Desk(exchange, market), f"celery-{name}", environment)


def hear(socket: ClientConnection, kind: str, order: str) -> None:
    """Until the stream tells it of the order."""
    while True:
        said = json.loads(socket.recv(timeout=60))
        if said.get("type") == kind and said["data"]["order"] == order:
            return


def test_an_order_is_placed_filled_told_and_compared(
    floor: Floor, exchange: Exchange, tmp_path: Path
) -> None:
    house, desk = build_house("starter"), floor.desk
    exchange.market_price = Decimal("100.5")
    with (
        serve(**floor.environment) as server,
        working(floor.queue, tmp_path / "worker.log", **floor.environment),
    ):
        seat = floor.opened(house)
        stream = server.url.replace("http", "ws") + f"/t/{house.tenant.slug}/ws/v1/stream/"
        with connect(stream, subprotocols=[f"bulkhead.token.{house.alice.token}"]) as socket:
            assert json.loads(socket.recv(timeout=60))["type"] == "authenticated"
            at_once = floor.place(server, seat)
            hear(socket, "order.filled", at_once)
            waiting = floor.place(server, seat, type="limit", limit_price="99", quantity="2")
            hear(socket, "order.accepted", waiting)
            exchange.execute(desk.venue_id(seat, waiting), "2", "99", fee="0.2")
            floor.look_after(seat)
            hear(socket, "order.filled", waiting)
    assert [str(fill.order_id) for fill in desk.fills(seat)] == [at_once, waiting]
    codes = [found["code"] for report in floor.reports(seat) for found in report["findings"]]
    assert sorted(codes) == ["balance_differed", "fill_booked"]
    assert desk.money(seat)["USD"]["total"] == f"{exchange_total(seat):f}"
    desk.check_books(seat)


@pytest.mark.parametrize("is_after", [True, False], ids=["the order came in", "it did not"])
def test_a_worker_killed_between_call_and_answer_neither_loses_nor_doubles_the_order(
    floor: Floor, exchange: Exchange, tmp_path: Path, *, is_after: bool
) -> None:
    house, desk = build_house("enterprise"), floor.desk
    exchange.market_price = Decimal(100)
    with serve(**floor.environment) as server:
        with working(floor.queue, tmp_path / "first.log", **floor.environment) as worker:
            seat = floor.opened(house)
            exchange.fail("AddOrder", Fault(is_after=is_after, hangs=60))
            order = floor.place(server, seat)
            until(lambda: exchange.calls("AddOrder"))
            kill_all_of(worker)
        assert len(exchange.orders_of(seat.holder)) == is_after
        assert desk.intents(seat, order) == [("place", "calling", "")]
        with job(house.tenant):
            intents = VenueIntent.objects.filter(order=order)
            called_at = intents.values_list("called_at", flat=True).get()
            intents.update(called_at=called_at - ABANDONED)
        with working(floor.queue, tmp_path / "second.log", **floor.environment):
            floor.look_after(seat)
            until(lambda: desk.status(seat, order)[0] == "filled")
    assert len(exchange.orders_of(seat.holder)) == 1
    assert len(desk.fills(seat)) == 1
    desk.check_books(seat)


def exchange_total(seat: Seat) -> Decimal:
    return seat.holder.totals["USD"].normalize()
