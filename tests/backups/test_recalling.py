"""The database has lost what it knew of backups: the storage has it, and hands back no other's."""

from __future__ import annotations

import json
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.core.management import CommandError, call_command
from pytest_django.fixtures import Settings

from accounts.trail.models import PlatformEvent
from backups import queries
from backups.models import Backup
from tests.backups.keepers import archive_of, restore, rows, spoiled, take
from tests.backups.test_commands import run
from tests.cast import House, build_tenant, now
from tests.isolation.database import connected
from tests.market import Market
from tests.tenants.moving.movers import trade

SAID = ("tenant_id", "slug", "reason", "status", "taken_at", "rows", "size", "sha256")


def said(backup: Backup) -> Any:
    return Backup.objects.filter(pk=backup.pk).values_list(*SAID).first()


def forget(*backups: Backup) -> None:
    """As a database does that was brought back from before."""
    with connected("DATABASE_SUPERUSER_URL") as database:
        ids = [backup.pk for backup in backups]
        database.execute("DELETE FROM public.backups_backup WHERE id = ANY (%s)", [ids])
        database.commit()


def refused() -> dict[str, str]:
    """By a run of the command that ends with 1."""
    told = StringIO()
    with pytest.raises(CommandError, match="refused: "):
        call_command("recall_backups", "--json", stdout=told)
    found: dict[str, str] = json.loads(told.getvalue())["refused"]
    return found


def entry_path(backup: Backup) -> Path:
    return archive_of(backup).with_suffix(".json")


def test_a_tenant_finds_its_backups_again_and_goes_back_to_one(
    house: House, market: Market
) -> None:
    trade(house.alice, market)
    backup, was = take(house.tenant, "nightly"), rows(house.tenant)
    known = said(backup)
    trade(house.bob, market)
    forget(backup)
    assert house.olga.get("backups/").json()["results"] == []
    assert run("recall_backups", "--dry-run")["recalled"] == [str(backup.id)]
    assert said(backup) is None
    assert run("recall_backups") == {"dry_run": False, "recalled": [str(backup.id)], "refused": {}}
    assert said(backup) == known
    assert queries.newest_of(house.tenant.slug) == backup.id
    (seen,) = house.olga.get("backups/").json()["results"]
    assert (seen["id"], seen["status"]) == (str(backup.id), "complete")
    assert house.mallory.get(f"backups/{backup.id}/").status_code in (403, 404)
    restore(backup)
    assert rows(house.tenant) == was


def test_what_is_known_stays_as_it_is_and_a_second_run_finds_nothing() -> None:
    tenant = build_tenant()
    kept, lost = take(tenant), take(tenant)
    Backup.objects.filter(pk=kept.pk).update(verified_fault="archive_torn", verified_at=now())
    forget(lost)
    assert run("recall_backups")["recalled"] == [str(lost.id)]
    assert run("recall_backups")["recalled"] == []
    assert Backup.objects.get(pk=kept.pk).verified_fault == "archive_torn"
    events = PlatformEvent.objects.filter(action="backup.recalled")
    assert events.filter(key=str(lost.pk)).count() == 1
    assert not events.filter(key=str(kept.pk)).exists()


def test_one_is_asked_for_when_it_was_as_its_id_says() -> None:
    """So the backup of an instant long ago is not taken for one that old, and removed."""
    backup = take(build_tenant(), "instant")
    forget(backup)
    run("recall_backups")
    asked_at = Backup.objects.get(pk=backup.pk).asked_at
    assert abs(asked_at - backup.asked_at) < timedelta(minutes=1)


def test_what_others_have_put_beside_it_is_passed_over() -> None:
    """By both commands that go through all names of the storage."""
    backup = take(build_tenant(), "nightly")
    forget(backup)
    folder = archive_of(backup).parent
    strays = [folder / "notes.json", folder / "keys" / "old.sealed", folder.parent / "read-me.json"]
    for stray in strays:
        stray.write_text("{}")
    try:
        assert str(backup.pk) in run("recall_backups")["recalled"]
        run("reseal_backups", "--dry-run")
    finally:
        for stray in strays:
            stray.unlink()


def test_another_tenants_is_refused_wherever_it_is_put() -> None:
    """Its files under our name, its entry beside our archive, its archive beside our entry."""
    ours, theirs, moved = take(build_tenant()), take(build_tenant()), take(build_tenant())
    forget(ours, moved)
    there = entry_path(ours).parent
    for path in (archive_of(theirs), entry_path(theirs)):
        (there / path.name).write_bytes(path.read_bytes())
    archive_of(moved).write_bytes(archive_of(theirs).read_bytes())
    entry_path(ours).write_bytes(entry_path(theirs).read_bytes())
    forget(theirs)
    found = refused()
    stranger = f"{ours.tenant_id}/{theirs.id}.json"
    assert set(found) == {stranger, f"{ours.tenant_id}/{ours.id}.json", name_of(moved)}
    assert found[name_of(moved)] == "foreign_archive"
    assert recalled(ours, theirs, moved) == {theirs.id}
    assert Backup.objects.get(pk=theirs.pk).tenant_id == theirs.tenant_id


@pytest.mark.parametrize("at", [0.0, 0.5, 0.999])
def test_an_altered_archive_is_refused_and_the_others_are_back(at: float) -> None:
    tenant = build_tenant()
    whole, altered = take(tenant), take(tenant)
    forget(whole, altered)
    with spoiled(altered, at=at):
        assert list(refused()) == [name_of(altered)]
    assert recalled(whole, altered) == {whole.id}
    assert run("recall_backups")["recalled"] == [str(altered.id)]


def test_an_entry_that_says_something_else_is_refused() -> None:
    tenant = build_tenant()
    backups = {name: take(tenant) for name in ("slug", "rows", "taken_at", "key", "tenant")}
    forget(*backups.values())
    others = {"slug": "other", "rows": 1, "taken_at": "2020-01-01T00:00:00+00:00"}
    others |= {"key": str(tenant.id), "tenant": str(backups["slug"].id)}
    for name, backup in backups.items():
        path = entry_path(backup)
        path.write_text(json.dumps({**json.loads(path.read_text()), name: others[name]}))
    assert set(refused().values()) == {"archive_altered", "wrong_backup_key"}
    assert recalled(*backups.values()) == set()


def test_under_another_master_key_none_is_believed(settings: Settings) -> None:
    backup = take(build_tenant())
    forget(backup)
    settings.BACKUP_KEYS = ["33" * 32]
    assert refused() == {name_of(backup): "wrong_backup_key"}
    assert recalled(backup) == set()


def test_an_entry_whose_archive_is_gone_is_refused() -> None:
    backup = take(build_tenant())
    forget(backup)
    archive_of(backup).unlink()
    assert refused() == {name_of(backup): "not_found"}


def name_of(backup: Backup) -> str:
    """Its entry's, in the storage."""
    return f"{backup.tenant_id}/{backup.id}.json"


def recalled(*backups: Backup) -> set[UUID]:
    ids = [backup.pk for backup in backups]
    return set(Backup.objects.filter(pk__in=ids).values_list("id", flat=True))
