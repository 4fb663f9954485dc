"""Tasks in a real worker: each in its own tenant, once or twice delivered, and none without one."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from celery.exceptions import Retry

from config.celery import application
from tenants import context
from tenants.errors import NoTenantContext, TenantAlreadyEntered
from tenants.tasks import HEADER, TenantTask
from tests.cast import House, build_house, job, now
from tests.market import list_instrument
from trading.models import Order
from trading.orders import tasks


@pytest.fixture(scope="module")
def worker() -> Iterator[Path]:
    """A Celery worker of two processes on the run's broker; gives its log."""
    log = Path(os.environ["BULKHEAD_DATA_DIR"]) / f"worker-{uuid4().hex}.log"
    command = [sys.executable, "-m", "celery", "-A", "config.celery", "worker"]
    command += ["--concurrency", "2", "--loglevel", "info", "--without-mingle", "--without-gossip"]
    with log.open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT)
    try:
        until(lambda: " ready." in log.read_text(), log)
        yield log
    finally:
        process.terminate()
        process.wait(timeout=20)


def until(true: Callable[[], bool], log: Path) -> None:
    for _ in range(300):
        if true():
            return
        time.sleep(0.1)
    raise AssertionError(log.read_text())


def due_order(house: House) -> str:
    """An accepted order of Alice's whose date has passed."""
    market = list_instrument()
    market.print_bar(open="100", high="101", low="99", close="100")
    alice = house.alice
    account = alice.post("accounts/", {"name": uuid4().hex}).json()["id"]
    alice.post(f"accounts/{account}/deposit/", {"currency": "USD", "amount": "1000"})
    order = {
        "account": account,
        "instrument": market.symbol,
        "side": "buy",
        "type": "limit",
        "limit_price": "50",
        "quantity": "1",
        "time_in_force": "gtd",
        "expires_at": (now() + timedelta(hours=1)).isoformat(),
    }
    placed = str(alice.post("orders/", order).json()["id"])
    with job(house.tenant):
        Order.objects.filter(pk=placed).update(expires_at=now() - timedelta(minutes=1))
    return placed


def status(house: House, order: str) -> str:
    return str(house.alice.get(f"orders/{order}/").json()["status"])


def test_one_task_reaches_every_tenant_on_both_tiers(worker: Path) -> None:
    houses = [build_house("starter"), build_house("enterprise")]
    orders = [due_order(house) for house in houses]
    tasks.expire_everywhere.delay()
    for house, order in zip(houses, orders, strict=True):
        until(lambda house=house, order=order: status(house, order) == "expired", worker)


def test_a_task_touches_its_own_tenant_only(house: House, worker: Path) -> None:
    other = build_house("starter")
    mine, theirs = due_order(house), due_order(other)
    tasks.expire_orders.send_to(house.tenant.id)
    until(lambda: status(house, mine) == "expired", worker)
    assert status(other, theirs) == "accepted"


def test_the_same_message_twice_does_its_work_once(house: House, worker: Path) -> None:
    order = due_order(house)
    for _ in range(3):
        tasks.expire_orders.apply_async(
            headers={HEADER: str(house.tenant.id)}, task_id=f"same-{order}"
        )
    until(lambda: worker.read_text().count(f"[same-{order}] succeeded") == 3, worker)
    balance = house.alice.get("accounts/").json()["results"][0]["id"]
    rows = house.alice.get(f"accounts/{balance}/balances/").json()["results"]
    assert (rows[0]["free"], rows[0]["locked"]) == ("1000", "0")


def test_a_message_without_a_tenant_fails_loudly(worker: Path) -> None:
    application.send_task("trading.orders.tasks.expire_orders", task_id=f"bare-{uuid4().hex}")
    until(lambda: "names no tenant" in worker.read_text(), worker)


def test_a_tenant_task_cannot_be_sent_from_nowhere() -> None:
    with pytest.raises(NoTenantContext):
        tasks.expire_orders.delay()


def test_a_tenant_cannot_send_a_task_to_another(house: House) -> None:
    other = house.mallory.tenant
    with job(house.tenant), pytest.raises(TenantAlreadyEntered):
        tasks.expire_orders.send_to(other.id)


def test_a_retry_stays_in_its_tenant_and_leaves_nothing_of_the_first_try(house: House) -> None:
    order = due_order(house)
    seen = []

    @application.task(base=TenantTask, bind=True, name=f"tests.retry.{uuid4().hex}")
    def flaky(self: TenantTask) -> None:
        seen.append(context.require().tenant_id)
        Order.objects.filter(pk=order).update(status_reason="half done")
        raise self.retry(countdown=0, max_retries=2)

    application.conf.task_store_eager_result = False
    with pytest.raises(Retry):
        flaky.apply(headers={HEADER: str(house.tenant.id)}, throw=True)
    application.tasks.pop(flaky.name)
    assert set(seen) == {house.tenant.id}
    with job(house.tenant):
        assert Order.objects.get(pk=order).status_reason == ""
