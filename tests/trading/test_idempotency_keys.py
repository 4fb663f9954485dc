"""Idempotency keys are remembered for a day, and then forgotten."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from accounts.audit.models import AuditEvent
from tenants.tasks import HEADER
from tests.cast import House, Person, job, now
from trading.idempotency import actions, tasks
from trading.idempotency.models import IdempotentRequest


def used(person: Person, at: datetime, key: str = "") -> str:
    """A key of the person's, used at that time."""
    key = key or uuid4().hex
    with person.inside():
        once(key, at)
    return key


def once(key: str, at: datetime, answer: str = "first") -> Any:
    return actions.once(
        key=key, method="POST", path="/x/", body={}, now=at, act=lambda: (201, {"is": answer})
    )


def known(person: Person) -> set[str]:
    with job(person.tenant):
        keys = IdempotentRequest.objects.filter(user_id=person.user_id)
        return set(keys.values_list("key", flat=True))


def purge(house: House, at: datetime) -> int:
    with job(house.tenant):
        return actions.purge(now=at)


def test_keys_of_more_than_a_day_ago_are_forgotten_everyones_in_the_tenant(house: House) -> None:
    day = timedelta(hours=24)
    then = now() - timedelta(days=9)
    used(house.alice, then - day - timedelta(microseconds=1))
    used(house.bob, then - 3 * day)
    kept = [used(house.alice, then - day), used(house.alice, then)]
    foreign = used(house.mallory, then - 3 * day)
    assert purge(house, then) == 2
    assert (known(house.alice), known(house.bob)) == (set(kept), set())
    assert known(house.mallory) == {foreign}
    assert purge(house, then) == 0


def test_it_goes_batch_by_batch_and_is_on_record_once(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(actions, "_BATCH", 3)
    for _ in range(7):
        used(house.alice, now() - timedelta(days=2))
    assert purge(house, now()) == 7
    assert purge(house, now()) == 0
    with job(house.tenant):
        (event,) = AuditEvent.objects.filter(action="idempotency.purged")
        assert (event.actor, event.after) == ("system:test", {"rows": 7})


def test_a_forgotten_key_may_be_used_again(house: House) -> None:
    key = used(house.alice, now() - timedelta(days=2))
    with house.alice.inside():
        assert once(key, now(), "second") == (201, {"is": "first"})
    purge(house, now())
    with house.alice.inside():
        assert once(key, now(), "second") == (201, {"is": "second"})
    assert known(house.alice) == {key}


def test_a_key_that_is_forgotten_while_it_is_asked_for_is_used_anew(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was there when it was claimed, and gone when its answer was to be read."""
    claim, turns = actions._claim, []

    def overtaken(claimed: IdempotentRequest) -> bool:
        turns.append(claimed)
        return len(turns) > 1 and claim(claimed)

    monkeypatch.setattr(actions, "_claim", overtaken)
    with house.alice.inside():
        assert once("k", now(), "second") == (201, {"is": "second"})
    assert len(turns) == 2


def test_the_task_purges_its_own_tenant(house: House) -> None:
    mine = used(house.alice, now())
    used(house.alice, now() - timedelta(days=2))
    theirs = used(house.mallory, now() - timedelta(days=2))
    headers = {HEADER: str(house.tenant.id)}
    assert tasks.purge.apply(headers=headers).get() == 1
    assert (known(house.alice), known(house.mallory)) == ({mine}, {theirs})
