"""What is counted while it happens.

A label takes its values from a short list of the house's own: routes, tasks, tiers, outcomes. Never
a path, a tenant, a person or a word of a client's: series stay as many as there is code.

Where `PROMETHEUS_MULTIPROC_DIR` names a folder, all processes on it count together. It has to be
there before the library is loaded, which reads the variable once.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = os.environ.get("PROMETHEUS_MULTIPROC_DIR", "")
if FOLDER:
    Path(FOLDER).mkdir(mode=0o700, parents=True, exist_ok=True)

from prometheus_client import (  # noqa: E402 - it wants the folder there
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
)

# A series more for each, of when it began.
disable_created_metrics()  # type: ignore[no-untyped-call]  # it has no types

# Of this process alone; the library's own adds collectors that mean nothing for several.
REGISTRY = CollectorRegistry()
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_QUICK = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)  # seconds
_NOTICED = 0.001
_LONG = (0.01, 0.05, 0.25, 1.0, 5.0, 30.0, 120.0)

_requests = Counter(
    "bulkhead_requests",
    "Requests answered.",
    ("method", "route", "status", "tier"),
    registry=REGISTRY,
)
_request_seconds = Histogram(
    "bulkhead_request_seconds",
    "How long requests took.",
    ("method", "route", "tier"),
    buckets=_QUICK,
    registry=REGISTRY,
)
_statements = Counter(
    "bulkhead_statements",
    "Statements to the database, by route or task.",
    ("work",),
    registry=REGISTRY,
)
_statement_seconds = Counter(
    "bulkhead_statement_seconds", "How long they took in all.", ("work",), registry=REGISTRY
)
_slow_statements = Counter(
    "bulkhead_slow_statements",
    "Statements that took longer than SLOW_STATEMENT_MS.",
    ("work",),
    registry=REGISTRY,
)
_cut_off = Counter(
    "bulkhead_statements_cut_off",
    "Statements of tenants that took longer than their plan allows.",
    ("work",),
    registry=REGISTRY,
)
_database_errors = Counter(
    "bulkhead_database_errors",
    "Statements that failed, by the class of their SQLSTATE.",
    ("sqlstate_class",),
    registry=REGISTRY,
)
_connections_in_use = Gauge(
    "bulkhead_connections_in_use",
    "Connections that are out of the pools.",
    multiprocess_mode="livesum",
    registry=REGISTRY,
)
_connection_wait_seconds = Histogram(
    "bulkhead_connection_wait_seconds",
    "How long pools were waited for, where that was a millisecond or more.",
    buckets=(0.01, 0.1, 1.0, 10.0),
    registry=REGISTRY,
)
_tasks = Counter("bulkhead_tasks", "Tasks that were run.", ("task", "outcome"), registry=REGISTRY)
_task_seconds = Histogram(
    "bulkhead_task_seconds", "How long tasks took.", ("task",), buckets=_LONG, registry=REGISTRY
)
_pulse = Gauge(
    "bulkhead_worker_pulse_timestamp_seconds",
    "When a worker last ran the pulse that beat sends.",
    multiprocess_mode="mostrecent",
    registry=REGISTRY,
)
_sockets = Gauge(
    "bulkhead_sockets_open",
    "Sockets of people who have said who they are.",
    multiprocess_mode="livesum",
    registry=REGISTRY,
)
_printed = Counter(
    "bulkhead_prints_matched", "Bars and ticks met by orders.", ("kind",), registry=REGISTRY
)
_paper_fills = Counter(
    "bulkhead_paper_fills", "Fills that bars and ticks brought.", registry=REGISTRY
)
_events = Counter(
    "bulkhead_events",
    "What people were told once it was committed: `order.filled`, `order.rejected` and the like.",
    ("kind",),
    registry=REGISTRY,
)
_valkey_away = Counter(
    "bulkhead_valkey_failures", "Calls that Valkey did not answer.", registry=REGISTRY
)


@cache
def _child(metric: Any, *labels: str) -> Any:
    """What counts for these labels: looking it up takes the library as long as counting."""
    return metric.labels(*labels)


def request(*, method: str, route: str, status: int, tier: str, seconds: float) -> None:
    """One that was answered; `tier` is `-` for who is of no tenant."""
    known = method if method in _METHODS else "OTHER"
    _child(_requests, known, route, f"{status // 100}xx", tier).inc()
    _child(_request_seconds, known, route, tier).observe(seconds)


def statements(work: str, *, count: int, seconds: float) -> None:
    """So many, which took so long together."""
    _child(_statements, work).inc(count)
    _child(_statement_seconds, work).inc(seconds)


def slow_statement(work: str) -> None:
    _slow_statements.labels(work).inc()


def statement_cut_off(work: str) -> None:
    _cut_off.labels(work).inc()


def database_error(sqlstate: str | None) -> None:
    """Without a state the server was not there to give one: class 08, as its own would be."""
    _database_errors.labels((sqlstate or "08")[:2]).inc()


@contextmanager
def waiting_for_connection() -> Iterator[None]:
    """Around taking one from a pool; whoever got one gives it back by `connection_returned`."""
    started = time.perf_counter()
    try:
        yield
        _connections_in_use.inc()
    finally:
        waited = time.perf_counter() - started
        if waited >= _NOTICED:
            _connection_wait_seconds.observe(waited)


def connection_returned() -> None:
    _connections_in_use.dec()


def task(name: str, *, outcome: str, seconds: float) -> None:
    """`outcome` is one of Celery's states."""
    _child(_tasks, name, outcome.lower()).inc()
    _child(_task_seconds, name).observe(seconds)


def pulse() -> None:
    _pulse.set_to_current_time()


def socket_opened() -> None:
    _sockets.inc()


def socket_closed() -> None:
    _sockets.dec()


def matched(kind: str, *, fills: int) -> None:
    """A bar or tick has been met by all whom it concerns."""
    _printed.labels(kind).inc()
    _paper_fills.inc(fills)


def event(kind: str) -> None:
    _child(_events, kind).inc()


def valkey_failed() -> None:
    _valkey_away.inc()
