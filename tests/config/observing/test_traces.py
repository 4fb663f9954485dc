"""One trace from a request to its statements, and to the task that it has sent."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from django.conf import settings
from websockets.asyncio.client import connect

from tests import web
from tests.cast import PASSWORD, House
from tests.config.observing.collector import Collector, Span, collecting
from tests.scenarios.processes import until, working
from tests.web import Server

pytestmark = pytest.mark.by_turns

ROOT = Path(__file__).resolve().parents[3]
SEND, RUN = (f"{did} accounts.passwords.tasks.mail_reset" for did in ("send", "run"))


@pytest.fixture(scope="module")
def collector() -> Iterator[Collector]:
    with collecting() as running:
        yield running


@pytest.fixture(scope="module")
def traced(collector: Collector) -> Iterator[Server]:
    """A web process that sends its traces to the collector, soon."""
    with web.serve(**soon(collector)) as running:
        yield running


def ask(server: Server, house: House, path: str) -> str:
    """Alice's request; gives its id."""
    request_id = uuid4().hex
    headers = {**house.alice.headers, "X-Request-ID": request_id}
    address = f"{server.url}/t/{house.tenant.slug}/api/v1/{path}"
    assert web.ask("GET", address, headers=headers).status_code == 200
    return request_id


def test_a_request_and_its_statements_are_one_trace(
    house: House, traced: Server, collector: Collector
) -> None:
    request_id = ask(traced, house, "accounts/")
    until(lambda: any(span.name == "GET account-list" for span in collector.trace_of(request_id)))
    trace = collector.trace_of(request_id)
    (top,) = [span for span in trace if not span.parent_id]
    assert top.attributes == {
        "http.request.method": "GET",
        "http.route": "account-list",
        "http.response.status_code": "200",
        "tenant.id": str(house.tenant.id),
        "user.id": str(house.alice.user_id),
        "request.id": request_id,
    }
    inner = [span for span in trace if span is not top]
    assert {"SELECT", "valkey script"} <= {span.name for span in inner}
    assert {span.parent_id for span in inner} == {top.span_id}


def test_spans_hold_no_values(house: House, traced: Server, collector: Collector) -> None:
    """Neither those of a log-in's statements nor a ticket, a token or an address."""
    request_id = uuid4().hex
    body = {"email": house.alice.email, "password": PASSWORD}
    address = f"{traced.url}/t/{house.tenant.slug}/api/v1/auth/login/"
    answer = web.ask("POST", address, json=body, headers={"X-Request-ID": request_id})
    assert answer.status_code == 200
    until(lambda: any(not span.parent_id for span in collector.trace_of(request_id)))
    told = repr(collector.trace_of(request_id))
    assert "FROM" in told
    for secret in (house.alice.email, PASSWORD, answer.json()["access"], house.tenant.slug):
        assert secret not in told
    assert "bulkhead_app" not in told


def test_a_task_goes_on_with_the_trace_of_its_sender(
    house: House, traced: Server, collector: Collector, tmp_path: Path
) -> None:
    """From the request to its statements, to the task that it sends, and to that one's."""
    request_id, told = uuid4().hex, soon(collector)
    with working(settings.CELERY_TASK_DEFAULT_QUEUE, tmp_path / "worker.log", **told):
        address = f"{traced.url}/t/{house.tenant.slug}/api/v1/auth/password/reset/"
        headers = {"X-Request-ID": request_id}
        web.ask("POST", address, json={"email": house.alice.email}, headers=headers)
        until(lambda: {"POST password-reset", RUN} <= names(collector.trace_of(request_id)))
    trace = collector.trace_of(request_id)
    assert len({span.trace_id for span in trace}) == 1
    (top,) = [span for span in trace if not span.parent_id]
    (sent,) = [span for span in trace if span.name == SEND]
    (run,) = [span for span in trace if span.name == RUN]
    assert (sent.parent_id, run.parent_id) == (top.span_id, sent.span_id)
    assert run.attributes["request.id"] == request_id
    assert "SELECT" in names(span for span in trace if span.parent_id == top.span_id)
    assert "SELECT" in names(span for span in trace if span.parent_id == run.span_id)


def names(spans: Iterable[Span]) -> set[str]:
    return {span.name for span in spans}


def soon(collector: Collector) -> dict[str, str]:
    return {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, "OTEL_BSP_SCHEDULE_DELAY": "100"}


async def test_a_socket_that_is_let_in_is_a_span(
    house: House, traced: Server, collector: Collector
) -> None:
    address = f"ws{traced.url.removeprefix('http')}/t/{house.tenant.slug}/ws/v1/stream/"
    async with connect(address, subprotocols=[f"bulkhead.token.{house.alice.token}"]) as socket:
        await socket.recv()
    who = {"tenant.id": str(house.tenant.id), "user.id": str(house.alice.user_id)}
    told = who.items()
    until(lambda: [s for s in collector.spans if told <= s.attributes.items()])
    (span,) = [span for span in collector.spans if told <= span.attributes.items()]
    assert span.name == "socket"
    assert house.alice.token not in repr(collector.spans)


def test_nothing_that_traces_is_loaded_unless_it_is_asked_for() -> None:
    """The interface of OpenTelemetry alone is, by redis, where it finds it installed."""
    look = (
        "import os, django; os.environ.pop('OTEL_EXPORTER_OTLP_ENDPOINT', None); django.setup();"
        "import sys, config.asgi; from django.test import Client; Client().get('/healthz');"
        "ours = 'config.observing.exporting', 'opentelemetry.exporter', 'opentelemetry.sdk.trace';"
        "sys.exit(' '.join(name for name in sys.modules if name.startswith(ours)) or 0)"
    )
    subprocess.run([sys.executable, "-c", look], cwd=ROOT, check=True)
