"""Backups are put back to try them, and taken away again: what cannot be is known, and told."""

from __future__ import annotations

import json
from datetime import timedelta
from io import StringIO
from typing import Any
from uuid import UUID

import pytest
from django.core import mail
from django.core.cache import caches
from django.core.management import CommandError, call_command
from pytest_django.fixtures import Settings

from accounts.trail.models import PlatformEvent
from backups import alarms, measures, queries, tasks, verifying
from backups.errors import NoBackup
from backups.models import Backup
from backups.storage.errors import StorageAway
from backups.storage.folder import Folder
from config.observing import exposition
from tenants.lifecycle.provisioning import owner_cursor
from tenants.models import Tenant
from tests.backups.keepers import archive_of, rows, spoiled, take
from tests.cast import House, build_house, build_tenant, now
from tests.config.observing.scraped import read, value
from tests.isolation.database import connected
from tests.market import Market
from tests.tenants.moving.movers import trade


def tried(backup: Backup) -> tuple[bool, str]:
    """Whether it was looked at, and what was wrong with it."""
    found = Backup.objects.get(pk=backup.pk)
    return found.verified_at is not None, found.verified_fault


def verify(backup: Backup) -> Backup:
    return verifying.verify(backup_id=backup.pk, now=now())


def run(*arguments: str) -> Any:
    told = StringIO()
    call_command("verify_backups", *arguments, "--json", stdout=told)
    return json.loads(told.getvalue())


def test_a_backup_is_tried_and_nothing_is_changed_by_it(house: House, market: Market) -> None:
    trade(house.alice, market)
    backup = take(house.tenant)
    trade(house.bob, market)
    was = rows(house.tenant, without=frozenset())
    verify(backup)
    assert tried(backup) == (True, "")
    assert rows(house.tenant, without=frozenset()) == was
    with owner_cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_catalog.pg_class"
            " WHERE relnamespace = pg_catalog.pg_my_temp_schema()"
        )
        assert cursor.fetchall() == [(0,)]
    seen = house.olga.get(f"backups/{backup.id}/").json()
    assert (seen["verified_at"] is not None, seen["verified_fault"]) == (True, "")
    events = PlatformEvent.objects.filter(action="backup.verified", key=str(backup.pk))
    assert [event.actor for event in events] == ["system:backups"]


@pytest.mark.parametrize("at", [0.0, 0.5, 0.999])
def test_one_that_was_altered_is_found(house: House, at: float) -> None:
    backup = take(house.tenant)
    with spoiled(backup, at=at):
        verify(backup)
    found, fault = tried(backup)
    assert found
    assert fault in ("archive_altered", "archive_torn", "no_archive")
    event = PlatformEvent.objects.get(action="backup.unfit", key=str(backup.pk))
    assert event.after["fault"] == fault
    verify(backup)
    assert tried(backup) == (True, "")


def test_one_that_lost_its_end_or_all_of_it_is_found(house: House) -> None:
    backup = take(house.tenant)
    path = archive_of(backup)
    path.write_bytes(path.read_bytes()[:-1])
    verify(backup)
    assert tried(backup)[1] in ("archive_torn", "archive_altered")
    path.unlink()
    verify(backup)
    assert tried(backup) == (True, "not_found")


def test_one_whose_key_is_gone_is_found(house: House, settings: Settings) -> None:
    backup = take(house.tenant)
    settings.BACKUP_KEYS = ["ab" * 32]
    verify(backup)
    assert tried(backup) == (True, "wrong_backup_key")


def test_rows_that_refer_to_missing_ones_are_found(house: House, market: Market) -> None:
    """They could be read by heart, and still not be put back."""
    trade(house.alice, market)
    with connected("DATABASE_SUPERUSER_URL") as database:
        database.execute("SET session_replication_role = replica")
        orders = f'"{house.tenant.live_schema}".trading_order'
        database.execute(f"DELETE FROM {orders} WHERE tenant_id = %s".encode(), [house.tenant.id])
        database.commit()
    backup = take(house.tenant)
    verify(backup)
    assert tried(backup) == (True, "not_restored")


def test_a_storage_that_is_away_is_not_the_backups_fault(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    backup = take(house.tenant)

    def away(*_: Any) -> Any:
        raise StorageAway

    monkeypatch.setattr(Folder, "reading", away)
    with pytest.raises(StorageAway):
        verify(backup)
    assert tried(backup) == (False, "")


def test_a_message_that_comes_twice_tries_once(house: House) -> None:
    backup = take(house.tenant)
    for _ in range(2):
        tasks.verify(str(backup.pk))
    assert PlatformEvent.objects.filter(action="backup.verified", key=str(backup.pk)).count() == 1
    Backup.objects.filter(pk=backup.pk).update(verified_at=now() - timedelta(hours=13))
    tasks.verify(str(backup.pk))
    assert PlatformEvent.objects.filter(action="backup.verified", key=str(backup.pk)).count() == 2


def test_one_that_is_not_complete_is_not_tried(house: House) -> None:
    backup = take(house.tenant)
    Backup.objects.filter(pk=backup.pk).update(status="removed")
    with pytest.raises(NoBackup):
        verify(backup)


def test_the_newest_of_each_is_tried_who_waits_longest_first(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    lately, long_ago, never = (build_tenant() for _ in range(3))
    old = {tenant.id: take(tenant).pk for tenant in (lately, long_ago, never)}
    newest = {tenant.id: take(tenant).pk for tenant in (lately, long_ago, never)}
    for tenant, days in ((lately, 1), (long_ago, 9)):
        at = now() - timedelta(days=days)
        Backup.objects.filter(pk=old[tenant.id]).update(verified_at=at)
    ours = [pk for pk in queries.to_try() if pk in {*old.values(), *newest.values()}]
    assert ours == [newest[tenant.id] for tenant in (never, long_ago, lately)]
    settings.BACKUPS_TRIED_A_NIGHT = 1
    sent: list[str] = []
    monkeypatch.setattr(tasks.verify, "delay", lambda first, then: sent.extend([first, *then]))
    tasks.verify_some()
    assert len(sent) == 1


def test_the_command_tells_and_fails_where_one_cannot_be_put_back(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    backup = take(house.tenant)
    other = take(build_tenant())
    told = run(house.tenant.slug)
    assert told["tried"] == [{"slug": house.tenant.slug, "backup": str(backup.pk), "fault": ""}]
    monkeypatch.setattr(queries, "to_try", lambda most: [other.pk, backup.pk][:most])
    with spoiled(backup), pytest.raises(CommandError, match=f"put back: {backup.slug} \\(archive_"):
        run()
    assert tried(other) == (True, "")
    assert run("--most", "1")["unfit"] == 0
    with pytest.raises(CommandError, match="no complete backup"):
        run("nobody")


def test_operators_are_told_by_mail_of_one_that_is_unfit(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each once, however often the message comes, and of nothing that is whole."""
    settings.OPERATORS_EMAILS = ["one@platform.test", "two@platform.test"]
    monkeypatch.setattr(alarms.tell_of_unfit, "delay", alarms.tell_of_unfit)
    mail.outbox.clear()
    whole, backup = take(build_tenant()), take(build_tenant())
    with spoiled(backup):
        for each in (whole, backup, backup):
            tasks.verify(str(each.pk))
    assert [letter.to for letter in mail.outbox] == [["one@platform.test"], ["two@platform.test"]]
    for letter in mail.outbox:
        assert backup.slug in letter.subject
        assert tried(backup)[1] in letter.body


def measured(name: str, **labels: str) -> float:
    caches["shared"].delete("standing-of-backups")
    return value(read(exposition.measured().decode()), name, **labels)


def made(tenant: Tenant, monkeypatch: pytest.MonkeyPatch, *, days: int) -> None:
    """As if there were no other, and it were so old."""
    since: dict[UUID, Any] = {tenant.id: now() - timedelta(days=days)}
    monkeypatch.setattr(queries, "active_since", lambda: since)


def test_how_old_backups_are_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    tenant, day = build_tenant(), 86_400
    made(tenant, monkeypatch, days=3)
    assert measured("bulkhead_backup_oldest_seconds") >= 3 * day
    backup = take(tenant)
    assert measured("bulkhead_backup_oldest_seconds") < day
    assert measured("bulkhead_backup_untried_seconds") >= 3 * day
    untried, own = "bulkhead_backup_tenant_untried_seconds", str(tenant.id)
    assert measured(untried, tenant=own) >= 3 * day
    verify(backup)
    assert measured("bulkhead_backup_untried_seconds") < day
    assert measured("bulkhead_backups_unfit") == 0
    with spoiled(backup):
        verify(backup)
    assert measured("bulkhead_backups_unfit") == 1
    assert measured("bulkhead_backup_untried_seconds") >= 3 * day


def test_what_failed_within_a_day_is_counted() -> None:
    before = measured("bulkhead_backups_failed")
    house = build_house("starter")
    row = {"tenant_id": house.tenant.id, "slug": house.tenant.slug, "reason": "asked"}
    for hours in (1, 25):
        at = now() - timedelta(hours=hours)
        Backup(**row, status="failed", asked_by="x", asked_at=at, finished_at=at).save()
    assert measured("bulkhead_backups_failed") == before + 1


def test_a_measure_is_looked_up_once_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    list(measures.standing())
    monkeypatch.setattr(measures, "_standing", lambda: 1 / 0)
    assert list(measures.standing())
