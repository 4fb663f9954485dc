"""`kill -9` in the midst of a backup: what was not finished does not count, and the next one is.

Whoever wants to know that its runner is dead need not wait: a message that comes again, a person
who asks again, the timer, the night.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path
from unittest import mock

import psycopg
import pytest
from django.conf import settings
from django.db import connections

from accounts.trail.models import PlatformEvent
from backups import actions, catalogue, holding, tasks
from backups.holding import Hold
from backups.models import Backup
from backups.snapshot import Snapshot
from backups.storage.interface import Storage
from tests.backups.keepers import entries, entry_of, stored, take
from tests.cast import House, build_house, build_tenant, now
from tests.isolation.database import connected
from tests.scenarios.processes import until

ROOT = Path(__file__).resolve().parents[2]
KILLS = int(os.environ.get("BACKUP_KILLS", "3"))
_EVENTS = (
    "INSERT INTO trading_notification (tenant_id, id, user_id, number, kind, at, data)"
    " SELECT %s, gen_random_uuid(), %s, n, 'x', now(), to_jsonb(md5(n::text))"
    " FROM generate_series(1, 60000) n"
)
# It comes as far as its first table, and is never done with it: what would make it wait for a lock
# would make everybody wait.
_WORKER = """
import time
import django
django.setup()
from backups import tasks
from backups.snapshot import Snapshot
Snapshot.rows = lambda *_: time.sleep(600)
tasks.take({!r})
"""


def long_log(house: House) -> None:
    """So much that a backup takes a while."""
    with connected("DATABASE_SUPERUSER_URL") as database:
        database.execute(_EVENTS.encode(), [house.tenant.id, house.alice.user_id])
        database.commit()


def started(*arguments: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, *arguments],
        cwd=ROOT,
        env={**os.environ, "BACKUP_STORAGE": settings.BACKUP_STORAGE},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def killed(house: House, chance: random.Random) -> None:
    """Some time after the command has said that it begins."""
    running = Backup.objects.filter(tenant_id=house.tenant.id, status="running")
    known = set(running.values_list("id", flat=True))
    command = started("manage.py", "backup_tenant", house.tenant.slug)
    while command.poll() is None and not running.exclude(pk__in=known).exists():
        time.sleep(0.01)
    time.sleep(chance.uniform(0, 0.5))
    command.send_signal(signal.SIGKILL)
    command.wait()


def killed_by(backup: Backup) -> None:
    """A worker that takes it is killed in the midst of it, and the database has missed it."""
    worker = started("-c", _WORKER.format(str(backup.pk)))
    until(lambda: worker.poll() is not None or status(backup) == "running")
    assert worker.poll() is None
    assert not is_free(backup)
    worker.send_signal(signal.SIGKILL)
    worker.wait()
    until(lambda: is_free(backup))
    assert status(backup) == "running"


def status(backup: Backup) -> str:
    return str(Backup.objects.values_list("status", flat=True).get(pk=backup.pk))


def is_free(backup: Backup) -> bool:
    with holding.held(backup.pk) as hold:
        return hold.is_alone("running")


def asked_by(house: House) -> Backup:
    return Backup.objects.get(pk=house.olga.post("backups/", {}).json()["id"])


def nights(house: House) -> list[Backup]:
    rows = Backup.objects.filter(tenant_id=house.tenant.id, reason="nightly")
    return list(rows.order_by("asked_at", "id"))


def test_a_killed_backup_leaves_none_that_counts_and_is_none(storage: Storage) -> None:
    house, chance = build_house("starter"), random.Random(1)
    long_log(house)
    for _ in range(KILLS):
        killed(house, chance)
    ours = Backup.objects.filter(tenant_id=house.tenant.id).exclude(reason="nightly")
    for entry in entries(storage):
        assert catalogue.check(storage, entry).rows > 60_000 - 1
    left = list(ours.filter(status="running"))
    until(lambda: all(is_free(each) for each in left))
    long_ago = now() - actions.GIVEN_UP - timedelta(hours=1)
    ours.filter(status="running").update(asked_at=long_ago)
    actions.take_up(now=now())
    storage.sweep(before=now() + timedelta(hours=1))
    assert set(ours.values_list("status", flat=True)) <= {"complete", "failed"}
    counted = {entry.backup for entry in entries(storage)}
    assert counted == set(ours.filter(status="complete").values_list("id", flat=True))
    assert stored() == sorted(f"{b}{kind}" for b in counted for kind in (".bulkhead", ".json"))
    assert catalogue.check(storage, entry_of(take(house.tenant))).rows >= 60_000


def test_the_message_that_comes_again_takes_it_up(house: House, storage: Storage) -> None:
    asked = asked_by(house)
    killed_by(asked)
    tasks.take(str(asked.pk))
    asked.refresh_from_db()
    assert (asked.status, asked.fault) == ("complete", "")
    assert catalogue.check(storage, entry_of(asked)).rows == asked.rows


def test_who_asks_again_is_not_given_a_dead_one(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[str] = []
    monkeypatch.setattr(tasks.take, "delay", sent.append)
    asked = asked_by(house)
    with holding.held(asked.pk):
        Backup.objects.filter(pk=asked.pk).update(status="running")
        assert house.olga.post("backups/", {}).json()["status"] == "running"
    Backup.objects.filter(pk=asked.pk).update(status="asked")
    killed_by(asked)
    again = house.olga.post("backups/", {}).json()
    assert (again["id"], again["status"]) == (str(asked.pk), "asked")
    assert sent == [str(asked.pk)] * 2
    tasks.take(sent[-1])
    assert house.olga.get(f"backups/{asked.pk}/").json()["status"] == "complete"


def test_what_was_a_part_of_somebodys_work_keeps_nobody_from_asking(house: House) -> None:
    undo = take(house.tenant, "undo")
    Backup.objects.filter(pk=undo.pk).update(status="running")
    assert house.olga.post("backups/", {}).json()["reason"] == "asked"


def test_a_night_whose_backup_was_killed_gets_it(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the timer of the same night: no other row, no other message."""
    sent: list[str] = []
    monkeypatch.setattr(tasks.take, "delay", sent.append)
    tasks.take_due()
    (nightly,) = nights(house)
    killed_by(nightly)
    sent.clear()
    tasks.take_due()
    assert sent.count(str(nightly.pk)) == 1
    tasks.take(str(nightly.pk))
    assert [(each.pk, each.status) for each in nights(house)] == [(nightly.pk, "complete")]


def test_one_that_kills_its_workers_is_given_up_and_the_night_gets_another(
    house: House, storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks.take, "delay", lambda _: None)
    tasks.take_due()
    (nightly,) = nights(house)
    long_ago = now() - actions.GIVEN_UP
    Backup.objects.filter(pk=nightly.pk).update(status="running", asked_at=long_ago)
    tasks.take(str(nightly.pk))
    assert status(nightly) == "running"
    tasks.take_due()
    first, second = sorted(nights(house), key=lambda each: each.pk)
    assert (first.pk, first.status, first.fault) == (nightly.pk, "failed", "broken_off")
    assert second.status == "asked"
    said = PlatformEvent.objects.filter(kind="backup", key=str(nightly.pk))
    assert said.filter(action="backup.failed").count() == 1


def test_one_that_was_only_begun_for_somebodys_work_ends(house: House) -> None:
    """Killed between the row and its hold; fresh ones may still get there."""
    row = {"tenant_id": house.tenant.id, "slug": house.tenant.slug, "reason": "undo"}
    begun = Backup.objects.create(**row, asked_by="system:test", asked_at=now())
    actions.take_up(now=now())
    assert status(begun) == "asked"
    actions.take_up(now=now() + timedelta(minutes=2))
    assert status(begun) == "failed"


def test_one_whose_runner_lives_is_left_alone_however_long_it_takes(house: House) -> None:
    asked = asked_by(house)
    long_ago = now() - 2 * actions.GIVEN_UP
    seen: list[str] = []
    heads = Snapshot.heads

    def meanwhile(snapshot: Snapshot) -> object:
        Backup.objects.filter(pk=asked.pk).update(asked_at=long_ago)
        tasks.take(str(asked.pk))
        actions.take_up(now=now())
        seen.extend([status(asked), house.olga.post("backups/", {}).json()["id"]])
        return heads(snapshot)

    with mock.patch.object(Snapshot, "heads", meanwhile):
        tasks.take(str(asked.pk))
    assert seen == ["running", str(asked.pk)]
    assert status(asked) == "complete"


def test_who_has_lost_hold_of_it_leaves_nothing_that_counts(storage: Storage) -> None:
    """Another may have taken it up: neither its archive nor its row is touched any more."""
    tenant = build_tenant()
    connected_as = holding._connected
    held: list[psycopg.Connection] = []

    def connect() -> psycopg.Connection:
        held.append(connected_as())
        return held[-1]

    rows = Snapshot.rows

    def cut(snapshot: Snapshot, head: object) -> object:
        with connected("DATABASE_SUPERUSER_URL") as database:
            database.execute("SELECT pg_terminate_backend(%s)", [held[0].info.backend_pid])
        return rows(snapshot, head)

    with (
        mock.patch.object(holding, "_connected", connect),
        mock.patch.object(Snapshot, "rows", cut),
        pytest.raises(psycopg.OperationalError),
    ):
        take(tenant)
    left = Backup.objects.get(tenant_id=tenant.id)
    assert left.status == "running"
    assert entries(storage) == []
    actions.take_up(now=now())
    assert status(left) == "asked"


def test_two_who_look_at_once_are_no_runner_and_neither_kicks_the_other(house: House) -> None:
    undo = take(house.tenant, "undo")
    with holding.held(undo.pk) as one, holding.held(undo.pk) as other:
        assert [each.is_alone("complete") for each in (one, other)] == [False, False]
    with holding.held(undo.pk) as one:
        assert one.is_alone("complete")
        assert not one.is_alone("running")
        assert isinstance(one, Hold)
        assert one.lasts


def test_a_hold_leaves_the_row_to_be_changed_and_outlives_the_idle(house: House) -> None:
    backup = take(house.tenant)
    with holding.held(backup.pk) as hold:
        assert Backup.objects.filter(pk=backup.pk).update(verified_fault="x") == 1
        found = hold._connection.execute("SHOW idle_in_transaction_session_timeout").fetchone()
        assert found == ("0",)
    assert not connections["default"].in_atomic_block
