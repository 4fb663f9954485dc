"""Every line says whose it is: one id is found in the lines of web and worker."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings

from tests import web
from tests.cast import House
from tests.scenarios.processes import until, working
from tests.web import Server
from trading.orders import tasks

pytestmark = pytest.mark.by_turns

ROOT = Path(__file__).resolve().parents[3]
# Production's lines: one JSON object each.
AS_JSON = {"DJANGO_SETTINGS_MODULE": "tests.config.observing.json_lines"}
FIELDS = {"at", "level", "logger", "message", "tenant", "actor", "address", "request_id"}


def lines_of(log: Path) -> list[dict[str, Any]]:
    """All that is no banner of Celery's own start."""
    written, _, _on_its_way = log.read_text().rpartition("\n")
    return [json.loads(line) for line in written.splitlines() if line.startswith("{")]


def over(log: Path, request_id: str) -> list[dict[str, Any]]:
    """The lines that a request's tasks have ended with."""
    lines = [line for line in lines_of(log) if line["request_id"] == request_id]
    return [line for line in lines if line["logger"] == "bulkhead.tasks"]


@pytest.fixture(scope="module")
def worker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    log = tmp_path_factory.mktemp("lines") / "worker.log"
    with working(settings.CELERY_TASK_DEFAULT_QUEUE, log, **AS_JSON):
        yield log


def test_one_id_is_found_in_the_lines_of_web_and_worker(
    house: House, server: Server, worker: Path
) -> None:
    request_id = uuid4().hex
    address = f"{server.url}/t/{house.tenant.slug}/api/v1/auth/password/reset/"
    body, headers = {"email": house.alice.email}, {"X-Request-ID": request_id}
    web.ask("POST", address, json=body, headers=headers)
    until(lambda: over(worker, request_id))
    assert f"req={request_id} POST" in server.log.read_text()
    (line,) = over(worker, request_id)
    assert line["message"].startswith("accounts.passwords.tasks.mail_reset[")
    assert "succeeded" in line["message"]


def test_a_task_s_lines_name_its_tenant_also_when_it_is_over(house: House, worker: Path) -> None:
    tasks.expire_orders.send_to(house.tenant.id)
    until(lambda: str(house.tenant.id) in worker.read_text())
    lines = [line for line in lines_of(worker) if line["tenant"] == str(house.tenant.id)]
    assert {line["actor"] for line in lines} == {"system:trading.orders.tasks.expire_orders"}
    assert all(len(line["request_id"]) == 32 for line in lines)


def test_a_task_that_fails_says_so_with_its_tenant(worker: Path) -> None:
    """A tenant that nobody has: the task fails, and Celery's own line says whose it was."""
    nobody = uuid4()
    tasks.expire_orders.send_to(nobody)
    until(lambda: f"{nobody}" in worker.read_text() and "failed in" in worker.read_text())
    lines = [line for line in lines_of(worker) if line["tenant"] == str(nobody)]
    assert {line["logger"] for line in lines} == {"celery.app.trace", "bulkhead.tasks"}
    assert len({line["request_id"] for line in lines}) == 1


def test_every_line_of_a_worker_has_every_field(house: House, worker: Path) -> None:
    tasks.expire_orders.send_to(house.tenant.id)
    until(lambda: str(house.tenant.id) in worker.read_text())
    for line in lines_of(worker):
        assert set(line) - {"exception"} == FIELDS


def test_beat_begins_an_id_for_what_it_sends(tmp_path: Path) -> None:
    log = tmp_path / "beat.log"
    command = [sys.executable, "-m", "celery", "-A", "config.celery", "beat", "-l", "info"]
    command += ["--schedule", str(tmp_path / "schedule")]
    queue = {"BEAT_QUEUE": f"nobody-{uuid4().hex}"}
    with log.open("wb") as out:
        beat = subprocess.Popen(
            command, cwd=ROOT, stdout=out, stderr=out, env={**os.environ, **AS_JSON, **queue}
        )
    try:
        until(lambda: " sent" in log.read_text())
    finally:
        beat.terminate()
        beat.wait(timeout=20)
    lines = lines_of(log)
    assert all(set(line) - {"exception"} == FIELDS for line in lines)
    sent = [line for line in lines if line["logger"] == "bulkhead.tasks"]
    assert sent
    assert len({line["request_id"] for line in sent}) == len(sent)
    assert all(len(line["request_id"]) == 32 for line in sent)
