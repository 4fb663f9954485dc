"""Processes that count together, a web with a worker and its children, or each by itself."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from prometheus_client.samples import Sample

from config.embedded import ports
from tenants.models import Tenant
from tenants.tasks import HEADER
from tests import web
from tests.cast import House, build_tenant
from tests.config.observing.scraped import TOKEN, read, value
from tests.scenarios.processes import until, working
from tests.web import Server
from trading.orders import tasks

pytestmark = pytest.mark.by_turns

TASK = "trading.orders.tasks.expire_orders"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("counted")


@pytest.fixture(scope="module")
def counting(folder: Path) -> Iterator[Server]:
    with web.serve(PROMETHEUS_MULTIPROC_DIR=str(folder), METRICS_TOKEN=TOKEN) as running:
        yield running


@pytest.fixture(scope="module")
def queue(folder: Path) -> Iterator[str]:
    """Of a worker that counts there too."""
    name = f"counted-{uuid4().hex}"
    with working(name, folder / "worker.log", PROMETHEUS_MULTIPROC_DIR=str(folder)):
        yield name


def asked(url: str, token: str = TOKEN) -> httpx.Response:
    return web.ask("GET", f"{url}/metrics", headers={"Authorization": f"Bearer {token}"})


def send(tenant: Tenant, queue: str) -> None:
    tasks.expire_orders.apply_async(queue=queue, headers={HEADER: str(tenant.id)})


def told(url: str) -> list[Sample]:
    answer = asked(url)
    assert answer.status_code == 200
    return read(answer.text)


def test_the_web_tells_what_worker_and_web_have_counted(
    house: House, counting: Server, queue: str
) -> None:
    ran = {"task": TASK, "outcome": "success"}
    before = value(told(counting.url), "bulkhead_tasks_total", **ran)
    address = f"{counting.url}/t/{house.tenant.slug}/api/v1/accounts/"
    web.ask("GET", address, headers=house.alice.headers)
    for _ in range(4):
        send(house.tenant, queue)
    until(lambda: value(told(counting.url), "bulkhead_tasks_total", **ran) == before + 4)
    samples = told(counting.url)
    assert value(samples, "bulkhead_task_seconds_count", task=TASK) >= 4
    assert value(samples, "bulkhead_statements_total", work=TASK) >= 4
    assert value(samples, "bulkhead_worker_pulse_timestamp_seconds") > 0
    assert value(samples, "bulkhead_requests_total", route="account-list", tier=house.tier) > 0
    assert value(samples, "bulkhead_up", server="database") == 1


def test_a_worker_tells_its_own_where_it_is_asked_to(tmp_path: Path) -> None:
    queue, port = f"own-{uuid4().hex}", ports.choose(None)
    own = {"PROMETHEUS_MULTIPROC_DIR": str(tmp_path / "own"), "METRICS_PORT": str(port)}
    with working(queue, tmp_path / "worker.log", METRICS_TOKEN=TOKEN, **own):
        url = f"http://127.0.0.1:{port}"
        send(build_tenant(), queue)
        until(lambda: value(told(url), "bulkhead_tasks_total", task=TASK) == 1)
        assert value(told(url), "bulkhead_up") == 0
        assert asked(url, "wrong").status_code == 404
        assert web.ask("GET", f"{url}/", headers={}).status_code == 404


def test_what_is_open_ends_with_who_was_killed(folder: Path) -> None:
    """Connections of a process that is no more are in nobody's use."""
    own = {"PROMETHEUS_MULTIPROC_DIR": str(folder), "METRICS_TOKEN": TOKEN}
    with web.serve(**own) as left, web.serve(**own) as killed:
        web.ask("GET", f"{killed.url}/readyz")
        assert list(folder.glob(f"gauge_livesum_{killed.process.pid}.db"))
        os.kill(killed.process.pid, signal.SIGKILL)
        killed.process.wait()
        told(left.url)
        assert not list(folder.glob(f"gauge_livesum_{killed.process.pid}.db"))
