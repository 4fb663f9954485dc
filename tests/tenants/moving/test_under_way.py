"""What is under way while a tenant moves, there and back: a socket, and tasks of a worker."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest import mock

import pytest
from asgiref.sync import sync_to_async
from celery import shared_task
from django.db import connection
from websockets.asyncio.client import ClientConnection

from tenants.moving import fence
from tenants.tasks import HEADER, TenantTask
from tests.cast import House
from tests.market import Market, list_instrument
from tests.scenarios.test_first_trade import order
from tests.tenants.moving.movers import BACK, PLANS, before, home, move, trade
from tests.trading.notifications.test_log import log_of, tell
from tests.trading.notifications.test_reconnects import opened
from tests.web import Server
from trading.models import Account


class Working:
    """A task that has written when the tenant is about to be switched, and ends when it may."""

    def __init__(self, house: House, account: str) -> None:
        self.house, self.account = house, account
        self.runs, self.homes = 0, list[str]()
        self.has_written, self.may_end = threading.Event(), threading.Event()

    def begin(self) -> None:
        self.has_written.clear()
        self.may_end.clear()
        self.thread = threading.Thread(target=self._run)
        self.thread.start()
        assert self.has_written.wait(30)

    def _run(self) -> None:
        to = {HEADER: str(self.house.tenant.id)}
        try:
            long_task.apply([self], headers=to).get()
            self.runs += 1
        finally:
            connection.close()

    @contextmanager
    def under_way(self) -> Iterator[None]:
        """From before the switch until that has found it in its way."""
        tries = fence.tries

        def patient() -> Iterator[int]:
            for number in tries():
                if number == 1:
                    self.homes.append(home(self.house))
                    self.may_end.set()
                    self.thread.join(30)
                yield number

        with before("switched", self.begin), mock.patch.object(fence, "tries", patient):
            yield


@shared_task(base=TenantTask, name="tests.moving.long_task")
def long_task(working: Working) -> None:
    tell(working.house.alice.user_id, "task.began")
    Account.objects.filter(pk=working.account).update(name=f"task {working.runs}")
    working.has_written.set()
    assert working.may_end.wait(60)
    tell(working.house.alice.user_id, "task.ended")


async def told(socket: ClientConnection, number: int) -> list[dict[str, Any]]:
    async with asyncio.timeout(60):
        return [json.loads(await socket.recv()) for _ in range(number)]


def there_and_back(house: House, market: Market, account: str) -> Working:
    """Moves, beside a task of each, with an order before each phase."""
    working = Working(house, account)

    def trade_on() -> None:
        assert house.alice.post("orders/", order(account, market)).status_code == 201

    for plan in (PLANS[house.tier], BACK[house.tier]):
        with working.under_way(), before_each_but_the_switch(trade_on):
            move(house, plan)
    return working


@contextmanager
def before_each_but_the_switch(act: Any) -> Iterator[None]:
    with ExitStack() as stack:
        for phase in ("noting", "copied", "verified", "released"):
            stack.enter_context(before(phase, act))
        yield


@pytest.mark.timeout(300)
async def test_a_socket_stays_open_and_a_task_ends_over_a_move_and_back(
    server: Server, house: House
) -> None:
    """The socket hears every event, once and in order; what a task has begun where the tenant was
    is there where the tenant is."""
    market = await sync_to_async(list_instrument)()
    await sync_to_async(market.print_bar)(open="100", high="101", low="99", close="100")
    account = await sync_to_async(trade)(house.alice, market)
    was = await sync_to_async(home)(house)
    before_all = await sync_to_async(log_of)(house.alice)
    socket, _ = await opened(server, house.alice)
    working = await sync_to_async(there_and_back)(house, market, account)
    log = (await sync_to_async(log_of)(house.alice))[len(before_all) :]
    heard = await told(socket, len(log))
    assert [message["type"] for message in heard] == [kind for _, kind in log]
    assert [number for number, _ in log] == list(
        range(len(before_all) + 1, len(before_all) + 1 + len(log))
    )
    kinds = [kind for _, kind in log]
    assert kinds.count("task.began") == kinds.count("task.ended") == working.runs == 2
    assert kinds.count("order.accepted") == 8
    assert await sync_to_async(home)(house) == was
    assert len(set(working.homes)) == 2
    account_now = (await sync_to_async(house.alice.get)(f"accounts/{account}/")).json()
    assert account_now["name"] == "task 1"
    await socket.close()
