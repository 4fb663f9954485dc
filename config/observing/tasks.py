"""Each task: counted, timed, one line in the log, and part of what sent it.

A message carries the request id and the trace of its sender, so one id finds the lines of a
request and of all that it had done.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from uuid import uuid4

from celery import Task
from celery.signals import (
    before_task_publish,
    task_postrun,
    task_prerun,
    worker_process_shutdown,
)

from config.logs import request_id
from config.observing import metrics, tracing, work
from config.observing.work import NAMELESS, Work
from tenants.tasks import HEADER

REQUEST = "bulkhead_request"
_CARRIED = (HEADER, REQUEST, "traceparent")
_log = logging.getLogger("bulkhead.tasks")
_begun: dict[str, tuple[ExitStack, float]] = {}  # by task id


@before_task_publish.connect
def tell_whose_it_is(sender: str, headers: dict[str, Any], **_: object) -> None:
    """What nobody's request sends, such as beat, begins an id of its own."""
    if headers.get(REQUEST) is None:
        headers[REQUEST] = request_id.get()
        if headers[REQUEST] == NAMELESS:
            headers[REQUEST] = uuid4().hex
            _log.info("%s sent", sender, extra={"request_id": headers[REQUEST]})
    if tracing.are_on():
        with tracing.span(f"send {sender}", "producer", request__id=headers[REQUEST]):
            tracing.carry(headers)


@task_prerun.connect
def begin(task_id: str, task: Task[Any, Any], **_: object) -> None:
    told = _told(task)
    tenant = told.get(HEADER, NAMELESS)
    stack = ExitStack()
    stack.enter_context(_named(told.get(REQUEST) or uuid4().hex))
    stack.enter_context(work.doing(Work(str(task.name), tenant, f"system:{task.name}")))
    stack.enter_context(
        tracing.span(
            f"run {task.name}",
            "consumer",
            carried=told,
            tenant__id=tenant,
            request__id=request_id.get(),
        )
    )
    _begun[task_id] = stack, time.perf_counter()


@task_postrun.connect
def end(task_id: str, task: Task[Any, Any], state: str | None = None, **_: object) -> None:
    stack, started = _begun.pop(task_id, (ExitStack(), time.perf_counter()))
    seconds, outcome = time.perf_counter() - started, state or "IGNORED"
    with stack:
        metrics.task(str(task.name), outcome=outcome, seconds=seconds)
        if tracing.are_on():
            tracing.describe(f"run {task.name}", failed=outcome == "FAILURE", outcome=outcome)
        words = {"SUCCESS": "succeeded", "FAILURE": "failed", "RETRY": "will be tried again"}
        said = words.get(outcome, outcome.lower())
        _log.info("%s[%s] %s in %.1fms", task.name, task_id, said, seconds * 1000)


@worker_process_shutdown.connect
def send_the_rest(**_: object) -> None:
    """A child of a pool ends without its interpreter's goodbye."""
    tracing.flush()


@contextmanager
def _named(name: str) -> Iterator[None]:
    token = request_id.set(name)
    try:
        yield
    finally:
        request_id.reset(token)


def _told(task: Task[Any, Any]) -> dict[str, str]:
    """What the message says of its sender: Celery gives headers as attributes, or in a mapping."""
    request: Any = task.request
    headers = request.headers or {}
    found = {name: headers.get(name) or getattr(request, name, None) for name in _CARRIED}
    return {name: str(value) for name, value in found.items() if value}
