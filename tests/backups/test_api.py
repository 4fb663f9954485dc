"""`/api/v1/backups/`: those in charge ask, owners restore, and nobody meets another tenant's."""

from __future__ import annotations

from datetime import timedelta
from threading import Barrier, Thread
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connections

from accounts.access.roles import Role
from backups import asking, restoring, tasks
from backups.models import Backup, Restoration
from tests.accounts.doors import call, post, stepped_up
from tests.backups.keepers import rows, spoiled, take
from tests.cast import House, build_person, now
from tests.market import Market
from tests.tenants.moving.movers import trade


def restore(house: House, backup: Backup) -> Any:
    return post(f"backups/{backup.id}/restore/", {}, credential=stepped_up(house.olga))


def test_who_is_in_charge_asks_for_a_backup_and_sees_it_taken(house: House) -> None:
    asked = house.olga.post("backups/", {})
    assert (asked.status_code, asked.json()["status"]) == (202, "asked")
    assert house.olga.post("backups/", {}).json()["id"] == asked.json()["id"]
    tasks.take(asked.json()["id"])
    (seen,) = house.olga.get("backups/").json()["results"]
    assert (seen["id"], seen["status"], seen["reason"]) == (asked.json()["id"], "complete", "asked")
    assert seen["asked_by"] == f"user:{house.olga.user_id}"
    assert house.olga.get(f"backups/{seen['id']}/").json() == seen


def test_a_tenant_asks_for_so_many_a_day(house: House) -> None:
    """What failed, and what others have asked for, is not counted."""
    take(house.tenant)
    failed = asked_and_taken(house)
    for _ in range(asking.A_DAY - 1):
        asked_and_taken(house)
    Backup.objects.filter(pk=failed).update(status="failed")
    last = house.olga.post("backups/", {})
    assert last.status_code == 202
    assert house.olga.post("backups/", {}).json()["id"] == last.json()["id"]
    tasks.take(last.json()["id"])
    refused = house.olga.post("backups/", {})
    assert (refused.status_code, refused.json()["code"]) == (429, "too_many_backups")
    assert refused.json()["detail"] == "6 within 24 hours: ask again in 24 h, or use one of those."
    assert 0 < int(refused.headers["Retry-After"]) <= 86_400
    day_ago = now() - timedelta(days=1)
    Backup.objects.filter(pk=last.json()["id"]).update(asked_at=day_ago)
    assert house.olga.post("backups/", {}).status_code == 202


def asked_and_taken(house: House) -> str:
    asked = str(house.olga.post("backups/", {}).json()["id"])
    tasks.take(asked)
    return asked


def test_who_asks_at_once_is_given_the_same(house: House) -> None:
    take(house.tenant, "first")
    given: list[UUID] = []
    start = Barrier(3)

    def ask() -> None:
        start.wait()
        try:
            with house.olga.inside():
                given.append(asking.backup(now=now()).pk)
        finally:
            connections.close_all()

    threads = [Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(given) == 3
    assert len(set(given)) == 1


def test_a_message_that_was_lost_is_sent_again(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[str] = []
    monkeypatch.setattr(tasks.take, "delay", sent.append)
    asked = house.olga.post("backups/", {}).json()["id"]
    tasks.take_due()
    assert sent.count(asked) == 2


def test_an_owner_puts_the_tenant_back(house: House, market: Market) -> None:
    trade(house.alice, market)
    backup, was = take(house.tenant), rows(house.tenant)
    trade(house.bob, market)
    asked = restore(house, backup)
    assert (asked.status_code, asked.json()["backup"]) == (202, str(backup.id))
    assert restore(house, backup).json()["code"] == "restoration_under_way"
    for _ in range(2):
        tasks.restore(asked.json()["id"])
    assert rows(house.tenant) == was
    seen = house.olga.get(f"restorations/{asked.json()['id']}/").json()
    assert (seen["status"], seen["fault"]) == ("done", "")
    assert seen["step"].startswith("exchanged")
    assert Backup.objects.get(pk=seen["undo"]).reason == "undo"
    events = house.olga.get("audit-log/?action=tenant.restored").json()["results"]
    assert [event["actor"] for event in events] == [f"user:{house.olga.user_id}"]


def test_a_restoration_that_fails_says_why(house: House) -> None:
    backup = take(house.tenant)
    asked = restore(house, backup).json()["id"]
    with spoiled(backup), pytest.raises(Exception, match="archive"):
        tasks.restore(asked)
    seen = house.olga.get(f"restorations/{asked}/").json()
    assert (seen["status"], seen["fault"]) == ("failed", "archive_altered")
    assert restore(house, backup).status_code == 202


def test_only_an_owner_who_has_just_proven_it_restores(house: House) -> None:
    backup = take(house.tenant)
    path = f"backups/{backup.id}/restore/"
    assert house.olga.post(path, {}).json()["code"] == "step_up_needed"
    adam = build_person(house.tenant, "adam", Role.ADMIN)
    for person in (adam, house.alice, house.vera):
        assert post(path, {}, credential=stepped_up(person)).status_code == 403
    assert not Restoration.objects.filter(tenant_id=house.tenant.id).exists()


def test_traders_and_viewers_see_none(house: House) -> None:
    backup = take(house.tenant)
    for person in (house.alice, house.vera):
        for path in ("backups/", f"backups/{backup.id}/", "restorations/"):
            assert person.get(path).status_code == 403


def test_another_tenants_backup_is_as_missing_as_one_that_is_nowhere(house: House) -> None:
    theirs = take(house.mallory.tenant)
    answers = [
        (method, call(method, path.format(backup_id), credential=stepped_up(house.olga)))
        for backup_id in (theirs.id, uuid4())
        for method, path in (("GET", "backups/{}/"), ("POST", "backups/{}/restore/"))
    ]
    assert {answer.status_code for _, answer in answers} == {404}
    assert len({answer.json()["code"] for _, answer in answers}) == 1
    assert house.olga.get("backups/").json()["results"] == []


def test_one_that_is_not_complete_is_not_restored(house: House) -> None:
    backup = take(house.tenant)
    Backup.objects.filter(pk=backup.pk).update(status="removed")
    assert restore(house, backup).status_code == 404


def test_a_restoration_that_nobody_asked_for_is_none() -> None:
    with pytest.raises(Exception, match="Not found"):
        restoring.carry_out(restoration_id=uuid4(), now=None)
