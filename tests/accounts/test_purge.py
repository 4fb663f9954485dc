"""Housekeeping of sessions: what was over a month ago goes, in batches, and nothing else."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from uuid import UUID, uuid4

import pytest
from django.conf import settings
from django.db import connection

from accounts.sessions import actions, tasks
from accounts.sessions.models import RefreshToken, Session
from accounts.trail.models import PlatformEvent
from config.celery import application
from tests.accounts.doors import post
from tests.cast import PASSWORD, Person, build_person, build_tenant

THEN = datetime(2020, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture
def alice(monkeypatch: pytest.MonkeyPatch) -> Person:
    """Alone there is to be purged: other tests keep what they have."""
    person = build_person(build_tenant(), "alice")
    for model in (Session, RefreshToken):
        hers = SimpleNamespace(objects=model._default_manager.filter(user_id=person.user_id))
        monkeypatch.setattr(actions, model.__name__, hers)
    return person


@pytest.fixture
def by() -> str:
    return f"system:test-{uuid4().hex}"


def opened(person: Person, *, expires: datetime, ended: datetime | None = None) -> Session:
    """A session with one refresh token that runs out with it."""
    whose = {"tenant_id": person.tenant.id, "user_id": person.user_id, "created_at": THEN}
    session = Session.objects.create(**whose, last_seen_at=THEN, expires_at=expires, ended_at=ended)
    token(session, expires=expires)
    return session


def token(session: Session, *, expires: datetime) -> RefreshToken:
    return RefreshToken.objects.create(
        digest=hashlib.sha256(uuid4().bytes).digest(),
        session=session,
        tenant_id=session.tenant_id,
        user_id=session.user_id,
        created_at=THEN,
        expires_at=expires,
    )


def left(person: Person) -> tuple[set[UUID], int]:
    """Sessions, and the number of refresh tokens."""
    sessions = Session.objects.filter(user_id=person.user_id).values_list("id", flat=True)
    return set(sessions), RefreshToken.objects.filter(user_id=person.user_id).count()


def recorded(by: str) -> list[int]:
    """How many rows each event of this actor tells of."""
    events = PlatformEvent.objects.filter(action="sessions.purged", actor=by)
    return [(event.after or {})["rows"] for event in events.order_by("at", "id")]


def test_what_ended_or_ran_out_a_month_ago_goes_and_the_rest_stays(alice: Person, by: str) -> None:
    edge = THEN - actions.KEPT
    opened(alice, expires=edge - timedelta(seconds=1))
    opened(alice, expires=edge + DAY, ended=edge - timedelta(seconds=1))
    kept = [
        opened(alice, expires=edge),
        opened(alice, expires=THEN + DAY),
        opened(alice, expires=edge + DAY, ended=edge),
    ]
    token(kept[1], expires=edge - DAY)  # a used one of a session that goes on
    assert actions.purge(by=by, now=THEN) == 5
    assert left(alice) == ({session.id for session in kept}, 3)
    assert actions.purge(by=by, now=THEN) == 0


def test_more_than_a_batch_goes_batch_by_batch_each_on_record(
    alice: Person, by: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(actions, "_BATCH", 3)
    for _ in range(7):
        opened(alice, expires=THEN - 2 * actions.KEPT)
    assert actions.purge(by=by, now=THEN) == 14
    assert left(alice) == (set(), 0)
    assert recorded(by) == [3, 3, 1, 3, 3, 1]


def test_four_at_once_delete_everything_and_nothing_twice(
    alice: Person, by: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(actions, "_BATCH", 2)
    for _ in range(10):
        opened(alice, expires=THEN - 2 * actions.KEPT)

    def purge(_number: int) -> int:
        try:
            return actions.purge(by=by, now=THEN)
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        deleted = sum(pool.map(purge, range(4)))
    deleted += actions.purge(by=by, now=THEN)  # sessions whose tokens another one held
    assert (deleted, left(alice)) == (20, (set(), 0))


def test_the_task_leaves_who_is_signed_in(alice: Person) -> None:
    answer = post("auth/login/", {"email": alice.email, "password": PASSWORD})
    opened(alice, expires=THEN)
    tasks.purge()
    assert (len(left(alice)[0]), left(alice)[1]) == (1, 1)
    again = post("auth/refresh/", {"refresh": answer.json()["refresh"]})
    assert again.status_code == 200


def test_every_task_of_the_timetable_is_one_that_workers_know() -> None:
    application.loader.import_default_modules()
    for entry in settings.CELERY_BEAT_SCHEDULE.values():
        assert entry["task"] in application.tasks
