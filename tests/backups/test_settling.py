"""A restore that dies after its commit has been done: what comes after it is made up for, once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from accounts.trail.models import PlatformEvent
from backups import progress, settling, tasks
from backups.archive.errors import ArchiveUnfit
from backups.errors import NotRestored, Unfinished
from backups.models import Backup, Restoration
from tests.accounts.doors import post, stepped_up
from tests.backups.exchanges import Killed, meanwhile
from tests.backups.keepers import archive_of, restore, rows, spoiled, take
from tests.backups.test_fence import OPEN, Broken, answer, last
from tests.backups.test_people import assert_is_shut_out, deleted
from tests.cast import House, now
from tests.isolation.database import connected
from tests.market import Market
from tests.scenarios.processes import until
from tests.tenants.moving.movers import trade

ROOT = Path(__file__).resolve().parents[2]
_RECORDS = "LOCK TABLE public.accounts_platformevent IN EXCLUSIVE MODE"


def aged(left: Restoration) -> None:
    """So that its runner would have had its lock for long."""
    Restoration.objects.filter(pk=left.pk).update(begun_at=now() - timedelta(minutes=2))


def said(house: House) -> tuple[list[Any], list[Any]]:
    """The undo's ids that stand in the records of restores: the tenant's own, the platform's."""
    events = house.olga.get("audit-log/?action=tenant.restored").json()["results"]
    here = [event["after"]["undo"] for event in events]
    theirs = PlatformEvent.objects.filter(action="tenant.restored", key=house.tenant.slug)
    return here, [event.after["undo"] for event in theirs]


def assert_is_done(house: House, left: Restoration) -> None:
    """And stays as it is, whatever comes by once more."""
    for _ in range(2):
        left.refresh_from_db()
        assert (left.status, left.fault, left.step) == ("done", "", progress.ON_RECORD)
        assert left.finished_at is not None
        assert said(house) == ([str(left.undo_id)], [str(left.undo_id)])
        tasks.take_up()


def undo(house: House) -> Backup | None:
    rows = Backup.objects.filter(tenant_id=house.tenant.id, reason="undo", status="complete")
    return rows.first()


def test_one_that_is_killed_after_its_commit_is_done(house: House, market: Market) -> None:
    """By SIGKILL: it waits for a row that we hold, and then, exchanged, to put that on record."""
    trade(house.alice, market)
    take(house.tenant)
    was = rows(house.tenant)
    trade(house.bob, market)
    since = rows(house.tenant)
    with connected("DATABASE_SUPERUSER_URL") as row, connected("DATABASE_SUPERUSER_URL") as records:
        held = "SELECT id FROM {}.trading_order WHERE tenant_id = %s FOR UPDATE"
        row.execute(held.format(house.tenant.live_schema).encode(), [house.tenant.id])
        command = subprocess.Popen(
            [sys.executable, "manage.py", "restore_tenant", house.tenant.slug],
            cwd=ROOT,
            env={**os.environ, "BACKUP_STORAGE": settings.BACKUP_STORAGE},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        until(lambda: command.poll() is not None or undo(house))
        records.execute(_RECORDS.encode())
        assert rows(house.tenant) == since
        row.rollback()
        until(lambda: command.poll() is not None or rows(house.tenant) == was)
        command.send_signal(signal.SIGKILL)
        assert command.wait() == -signal.SIGKILL
    assert (rows(house.tenant), answer(house.alice)) == (was, OPEN)
    left, before = last(house), undo(house)
    assert before is not None
    assert (left.status, left.step, left.undo_id) == ("running", "exchanged", before.pk)
    assert said(house) == ([], [])
    aged(left)
    until(lambda: tasks.take_up() or last(house).status != "running")
    assert_is_done(house, left)
    restore(before)
    assert rows(house.tenant) == since


def breaking(fault: type[BaseException]) -> Callable[..., Any]:
    def broken(*_: object, **__: object) -> None:
        raise fault

    return broken


@pytest.mark.parametrize(
    "at", [(settling, "remember"), (settling.trail, "record"), (settling.audit, "record")]
)
@pytest.mark.parametrize("fault", [Broken, Killed])
def test_what_goes_wrong_after_its_commit_is_made_up_for(
    house: House,
    market: Market,
    monkeypatch: pytest.MonkeyPatch,
    at: tuple[Any, str],
    fault: type[BaseException],
) -> None:
    """Bob, who has traded, is gone meanwhile."""
    trade(house.bob, market)
    backup, was = take(house.tenant), rows(house.tenant)
    trade(house.alice, market)
    deleted(house.bob.user_id)
    exchanged = progress.exchanged
    with monkeypatch.context() as patch:

        def then_break(*given: Any, **how: Any) -> None:
            exchanged(*given, **how)
            patch.setattr(*at, breaking(fault))

        patch.setattr(progress, "exchanged", then_break)
        with pytest.raises(Unfinished if fault is Broken else fault):
            restore(backup)
    left = last(house)
    assert (left.status, left.fault, rows(house.tenant)) == ("running", "", was)
    aged(left)
    tasks.take_up()
    assert_is_done(house, left)
    assert_is_shut_out(house, house.bob.email)


def left_exchanged(house: House, monkeypatch: pytest.MonkeyPatch) -> tuple[Backup, Restoration]:
    """Killed before anything came after the commit."""
    backup = take(house.tenant)
    with monkeypatch.context() as patch:
        patch.setattr(settling, "settle", breaking(Killed))
        with pytest.raises(Killed):
            restore(backup)
    aged(last(house))
    return backup, last(house)


def test_it_is_on_record_as_the_persons_who_asked(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = f"backups/{take(house.tenant).id}/restore/"
    asked = post(path, {}, credential=stepped_up(house.olga)).json()["id"]
    with monkeypatch.context() as patch:
        patch.setattr(settling, "settle", breaking(Broken))
        with pytest.raises(Unfinished):
            tasks.restore(asked)
    left = last(house)
    assert (str(left.pk), left.status) == (asked, "running")
    assert post(path, {}, credential=stepped_up(house.olga)).status_code == 409
    aged(left)
    tasks.take_up()
    assert_is_done(house, left)
    events = house.olga.get("audit-log/?action=tenant.restored").json()["results"]
    assert [event["actor"] for event in events] == [f"user:{house.olga.user_id}"]


def test_the_next_restore_does_it_too(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    backup, left = left_exchanged(house, monkeypatch)
    done = restore(backup)
    left.refresh_from_db()
    assert (left.status, left.fault) == ("done", "")
    both = {str(left.undo_id), str(done.undo)}
    assert tuple(map(set, said(house))) == (both, both)


def test_without_its_archive_it_is_done_all_the_same(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    backup, left = left_exchanged(house, monkeypatch)
    archive_of(backup).unlink()
    tasks.take_up()
    assert_is_done(house, left)


def test_one_that_cannot_be_ended_stands_in_no_others_way(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of two tenants, whichever comes first."""
    backup, left = left_exchanged(house, monkeypatch)
    theirs = take(house.mallory.tenant)
    other = Restoration.objects.create(
        tenant_id=house.mallory.tenant.id,
        backup=theirs,
        status="running",
        asked_at=now(),
        begun_at=now() - timedelta(hours=1),
    )
    with spoiled(backup), pytest.raises(ArchiveUnfit):
        tasks.take_up()
    left.refresh_from_db()
    other.refresh_from_db()
    assert (left.status, other.status, other.fault) == ("running", "failed", "broken_off")
    tasks.take_up()
    assert_is_done(house, left)


def test_one_of_a_suspended_tenant_is_on_the_platforms_record(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, left = left_exchanged(house, monkeypatch)
    house.tenant.status = "suspended"
    house.tenant.save(update_fields=["status"])
    tasks.take_up()
    left.refresh_from_db()
    assert (left.status, left.step) == ("done", progress.ON_RECORD)
    theirs = PlatformEvent.objects.filter(action="tenant.restored", key=house.tenant.slug)
    assert [event.after["undo"] for event in theirs] == [str(left.undo_id)]


def test_one_that_was_ended_meanwhile_exchanges_nothing(house: House, market: Market) -> None:
    trade(house.alice, market)
    backup = take(house.tenant)
    trade(house.bob, market)
    since = rows(house.tenant)
    ended: list[bool] = []

    def end(_: object) -> None:
        ended.append(progress.fail(last(house), "broken_off", now=now()))

    with meanwhile(end), pytest.raises(NotRestored, match="ended"):
        restore(backup)
    assert (ended, rows(house.tenant), answer(house.alice)) == ([True], since, OPEN)
