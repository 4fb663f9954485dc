"""Tasks at a time: one tenant does not fill the workers, and loses nothing by that."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from celery.exceptions import Ignore

from config.celery import application
from tenants import context, slots, turns, valkey
from tenants.tasks import HEADER, TenantTask
from tenants.turns import Turn
from tests.cast import build_tenant


@pytest.fixture
def done() -> list[Any]:
    return []


@pytest.fixture
def task(done: list[Any]) -> Iterator[TenantTask]:
    @application.task(base=TenantTask, name=f"tests.turns.{uuid4().hex}")
    def noted(word: str) -> None:
        done.append((context.require().tenant_id, word))

    yield noted
    application.tasks.pop(noted.name)


def deliver(task: TenantTask, tenant_id: object, word: str) -> str:
    """As a worker runs it; gives the task's id."""
    name = uuid4().hex
    task.push_request(
        id=name,
        headers={HEADER: str(tenant_id)},
        delivery_info={"exchange": "", "routing_key": "its own"},
        called_directly=False,
        is_eager=False,
        retries=2,
    )
    try:
        task(word)
    finally:
        task.pop_request()
    return name


def test_what_is_more_than_a_tenants_turns_is_put_off(
    task: TenantTask, done: list[Any], monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    settings.TASKS_PER_TENANT = 1
    tenant, other = build_tenant(), build_tenant()
    sent = []
    monkeypatch.setattr(task, "apply_async", lambda *given, **how: sent.append((given, how)))
    running = Turn(tenant.id)
    assert running.take(of=1)
    with pytest.raises(Ignore):
        deliver(task, tenant.id, "later")
    deliver(task, other.id, "now")
    assert done == [(other.id, "now")]
    ((given, how),) = sent
    assert given == (("later",), {})
    assert how["headers"] == {HEADER: str(tenant.id)}
    assert how["queue"] == "its own"
    assert (how["retries"], how["countdown"] > 0) == (2, True)
    running.end()
    deliver(task, tenant.id, "later")
    assert done == [(other.id, "now"), (tenant.id, "later")]


def test_a_turn_ends_however_its_task_does() -> None:
    tenant = build_tenant()
    with pytest.raises(RuntimeError), turns.taken(tenant.id, of=1) as is_taken:
        assert is_taken
        raise RuntimeError
    with turns.taken(tenant.id, of=1) as is_taken:
        assert is_taken


def test_so_many_turns_are_taken_and_no_slot_of_requests() -> None:
    tenant = build_tenant()
    mine = [Turn(tenant.id) for _ in range(3)]
    assert [turn.take(of=2) for turn in mine] == [True, True, False]
    assert slots.taken(tenant.id) == 0
    valkey.client().zadd(mine[0].key, {mine[0].name: 1})  # its worker was killed, long ago
    assert mine[2].take(of=2)


def test_without_valkey_what_was_delivered_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object, **__: object) -> bool:
        raise valkey.ValkeyAway

    monkeypatch.setattr(Turn, "take", away)
    with turns.taken(build_tenant().id, of=1) as is_taken:
        assert is_taken
