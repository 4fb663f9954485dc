"""Workers that stand apart, and what they have to do: seen, stuck."""

from __future__ import annotations

import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from config.celery import application
from config.observing import exposition, heartbeats
from tenants import valkey
from tenants.deletion import actions as deletion
from tenants.identifiers import new_id
from tenants.models import TenantWorkflow
from tests.cast import build_tenant, now
from tests.config.observing.scraped import read, value
from tests.scenarios.processes import until, working
from tests.tenants.lifecycle.breaking import names
from tests.tenants.lifecycle.test_workflow import ask, slug

SEEN, OLDEST = "bulkhead_worker_seen_timestamp_seconds", "bulkhead_workflow_oldest_seconds"


def measured(name: str, **labels: str) -> float:
    return value(read(exposition.measured().decode()), name, **labels)


@pytest.fixture
def nobody_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """A place in Valkey that no other test's worker writes to."""
    monkeypatch.setattr(heartbeats, "_KEY", f"heartbeats-{new_id()}")


@pytest.mark.usefixtures("nobody_seen")
def test_a_worker_that_never_came_was_seen_at_the_beginning_of_time() -> None:
    assert measured(SEEN, worker="operator") == 0
    heartbeats.beat("operator")
    assert abs(measured(SEEN, worker="operator") - time.time()) < 60
    assert measured(SEEN, worker="backups") == 0


def test_a_worker_says_that_it_lives_by_its_name(tmp_path: Path) -> None:
    valkey.client().delete(heartbeats._KEY)
    with working(f"apart-{new_id()}", tmp_path / "worker.log", name="backups"):
        until(lambda: measured(SEEN, worker="backups"))
    assert measured(SEEN, worker="operator") == 0


def test_no_heartbeats_without_valkey(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that is away for a while ends no thread."""
    turns: list[str] = []

    def away(name: str) -> None:
        turns.append(name)
        raise valkey.ValkeyAway

    def sleep(_seconds: float) -> None:
        if len(turns) == 3:
            raise StopIteration

    monkeypatch.setattr(heartbeats, "beat", away)
    monkeypatch.setattr(heartbeats.time, "sleep", sleep)
    with pytest.raises(StopIteration):
        heartbeats._beat_for_ever("operator")
    assert turns == ["operator"] * 3


@pytest.mark.parametrize(
    ("task", "queue"),
    [
        ("backups.tasks.take", "BACKUPS_QUEUE"),
        ("backups.tasks.take_due", "BACKUPS_QUEUE"),
        ("backups.tasks.prune", "BACKUPS_QUEUE"),
        ("backups.tasks.lend", "BACKUPS_QUEUE"),
        ("backups.tasks.ship_wal", "WAL_QUEUE"),
        ("backups.tasks.restore", "OPERATORS_QUEUE"),
        ("backups.tasks.verify", "OPERATORS_QUEUE"),
        ("tenants.lifecycle.tasks.carry_on", "OPERATORS_QUEUE"),
        ("tenants.moving.tasks.move", "OPERATORS_QUEUE"),
    ],
)
def test_nobody_who_waits_stands_behind_backups(task: str, queue: str) -> None:
    route: Any = application.amqp.router.route({}, task, (), {})
    assert route["queue"].name == getattr(settings, queue)
    assert len({settings.BACKUPS_QUEUE, settings.OPERATORS_QUEUE, settings.WAL_QUEUE}) == 3


def test_a_deletion_that_stands_still_grows_old() -> None:
    asked = deletion.ask(tenant=build_tenant(), by="system:test", now=now())
    long_ago = now() - timedelta(days=400)
    TenantWorkflow.objects.filter(pk=asked.pk).update(asked_at=long_ago)
    made = ask(slug())
    assert names("provision") != names("delete")
    assert measured(OLDEST, kind="delete") > 399 * 24 * 3600 > measured(OLDEST, kind="provision")
    assert measured(OLDEST, kind="provision") > 0
    TenantWorkflow.objects.filter(pk__in=[asked.pk, made.pk]).update(finished_at=now())
    assert measured(OLDEST, kind="delete") < 399 * 24 * 3600
