"""Whoever locks several accounts takes them in one order, so that nobody waits in a ring."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import pytest
from django.db import connection

from tests.cast import House, Person, job, now
from tests.market import Market, list_instrument
from tests.scenarios.test_order_types import place
from trading.brokers import accounts
from trading.brokers import actions as brokers
from trading.orders import actions as orders
from trading.orders import catching_up

pytestmark = pytest.mark.by_turns

_PATIENCE = 20  # seconds, before a test that hangs is given up


class Meeting:
    """Two transactions: one stops between its two locks until the other has come to its own."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.has_first = threading.Event()
        self.pid: int | None = None

    def pause(self) -> None:
        """Goes on once the other waits for a lock, or has all that it wants."""
        self.has_first.set()
        end = time.monotonic() + _PATIENCE
        while time.monotonic() < end and not self._is_waiting():
            time.sleep(0.01)

    def come(self, act: Callable[[], Any]) -> None:
        assert self.has_first.wait(_PATIENCE)
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            self.pid = cursor.fetchone()[0]
        act()

    def _is_waiting(self) -> bool:
        if self.pid is None:
            return False
        with connection.cursor() as cursor:
            cursor.execute("SELECT cardinality(pg_blocking_pids(%s)) > 0", [self.pid])
            return bool(cursor.fetchone()[0])


def two_accounts(person: Person) -> tuple[UUID, UUID]:
    """The lower one is the default."""
    made = []
    for name in ("first", "second"):
        made.append(UUID(person.post("accounts/", {"name": name, "currency": "USD"}).json()["id"]))
        money = {"currency": "USD", "amount": "1000"}
        person.post(f"accounts/{made[-1]}/deposit/", money)
    low, high = sorted(made)
    person.request("PATCH", f"accounts/{low}/", {"is_default": True})
    return low, high


def make_default(person: Person, low: UUID, high: UUID) -> None:
    accounts.change_account(
        account_id=high, is_default=True, now=now(), precondition=lambda _: None
    )


def close_with_an_heir(person: Person, low: UUID, high: UUID) -> None:
    accounts.close_account(account_id=high, now=now())


@pytest.mark.parametrize("act", [make_default, close_with_an_heir])
def test_cancel_all_and_a_change_of_the_default_do_not_wait_for_each_other(
    house: House, monkeypatch: pytest.MonkeyPatch, act: Callable[[Person, UUID, UUID], None]
) -> None:
    alice, market = house.alice, _market()
    low, high = two_accounts(alice)
    if act is close_with_an_heir:
        alice.request("PATCH", f"accounts/{high}/", {"is_default": True})
    placed = [_limit_buy(alice, low, market)]
    if act is make_default:
        placed.append(_limit_buy(alice, high, market))
    meeting = Meeting(house)
    caught_up = catching_up.caught_up

    def between_two_locks(order_id: UUID, **more: Any) -> Any:
        found = caught_up(order_id, **more)
        if not meeting.has_first.is_set():
            meeting.pause()
            brokers.lock(high)
        return found

    monkeypatch.setattr(catching_up, "caught_up", between_two_locks)

    def cancel() -> int:
        return len(orders.cancel_all(user_id=alice.user_id, account_id=None, now=now()))

    def change() -> None:
        meeting.come(lambda: act(alice, low, high))

    with ThreadPoolExecutor(2) as pool:
        canceling = pool.submit(_inside, house, cancel)
        changing = pool.submit(_inside, house, change)
        assert canceling.result(2 * _PATIENCE) == len(placed)
        changing.result(2 * _PATIENCE)
    shown = alice.get(f"accounts/{high if act is make_default else low}/").json()
    assert shown["is_default"] is True


def _market() -> Market:
    market = list_instrument()
    market.print_bar(open="100", high="101", low="99", close="100")
    return market


def _limit_buy(person: Person, account: UUID, market: Market) -> dict[str, Any]:
    asked = {"side": "buy", "type": "limit", "quantity": "1", "limit_price": "50"}
    return place(person, str(account), market, **asked)


def _inside(house: House, act: Callable[[], Any]) -> Any:
    """In a transaction of a thread's own, whose connection goes back to the pool."""
    try:
        with job(house.tenant):
            return act()
    finally:
        connection.close()
