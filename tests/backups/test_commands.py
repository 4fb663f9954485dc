"""`backup_tenant`, `restore_tenant` and `prune_backups`, as an operator types them."""

from __future__ import annotations

import json
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from backups import actions, queries
from backups.errors import NoBackup
from backups.models import Backup
from backups.storage.interface import Storage
from config.embedded.installation import Installation
from config.embedded.servers import VARIABLES
from tenants.context import Actor, Scope, TenantContext
from tests.backups.keepers import archive_of, entries, entry_of, rows, stored, take
from tests.cast import House, build_house, build_tenant, now
from tests.isolation.database import connected, inside
from tests.market import Market
from tests.tenants.moving.movers import trade


def run(name: str, *arguments: str) -> Any:
    told = StringIO()
    call_command(name, *arguments, "--json", stdout=told)
    return json.loads(told.getvalue())


@pytest.fixture
def house(market: Market) -> House:
    house = build_house("starter")
    trade(house.alice, market)
    return house


def test_a_backup_is_taken_and_put_back(house: House, market: Market) -> None:
    slug, was = house.tenant.slug, rows(house.tenant)
    taken = run("backup_tenant", slug)
    assert taken["rows"] > 10
    trade(house.bob, market)
    told = run("restore_tenant", slug, "--backup", taken["backup"])
    assert {each["table"] for each in told["differences"]} >= {"trading_order", "trading_fill"}
    assert rows(house.tenant) == was
    assert Backup.objects.get(pk=told["undo"]).reason == "undo"


def test_a_dry_run_tells_the_difference_and_changes_nothing(house: House, market: Market) -> None:
    slug = house.tenant.slug
    run("backup_tenant", slug)
    trade(house.bob, market)
    since = rows(house.tenant, without=frozenset())
    told = run("restore_tenant", slug, "--dry-run")
    (orders,) = [each for each in told["differences"] if each["table"] == "trading_order"]
    assert (orders["missing"], orders["extra"]) == (0, 4)
    assert rows(house.tenant, without=frozenset()) == since
    assert Backup.objects.filter(tenant_id=house.tenant.id).exclude(reason="nightly").count() == 1


def test_a_new_tenant_is_made_of_the_newest(house: House) -> None:
    slug, new = house.tenant.slug, f"r{uuid4().hex[:12]}"
    run("backup_tenant", slug)
    newest = run("backup_tenant", slug)["backup"]
    told = run("restore_tenant", slug, "--into", new)
    assert (told["slug"], told["backup"], told["undo"]) == (new, newest, None)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nobody"], "no complete backup of 'nobody'"),
        (["{slug}"], "no complete backup"),
        (["{slug}", "--backup", str(uuid4())], "not_found"),
        (["{slug}", "--dry-run", "--into", "x"], "goes without --into"),
        (["{slug}", "--backup", "{theirs}"], "another tenant's"),
    ],
)
def test_what_cannot_be_done_is_said(house: House, arguments: list[str], said: str) -> None:
    theirs = take(build_tenant())
    named = {"slug": house.tenant.slug, "theirs": theirs.id}
    with pytest.raises(CommandError, match=said):
        run("restore_tenant", *(each.format(**named) for each in arguments))


def test_nobodys_backup_is_not_taken() -> None:
    with pytest.raises(CommandError, match="There is no tenant"):
        run("backup_tenant", "nobody")


UPDATE = """
UPDATE public.backups_backup SET slug = %s, taken_at = '2100-01-01' WHERE tenant_id = %s
"""


def test_what_a_tenant_writes_of_itself_leads_nobody_astray(house: House) -> None:
    """By SQL in its own tenant, of its own backups: another's name, and a moment to come."""
    backup, attackers = take(house.tenant), build_house("starter")
    forged = take(attackers.tenant)
    everyone = TenantContext(attackers.tenant.id, Actor.user(attackers.olga.user_id), Scope.TENANT)
    with inside(everyone) as cursor:
        cursor.execute(UPDATE, [house.tenant.slug, attackers.tenant.id])
        assert cursor.rowcount >= 1
        cursor.connection.commit()
    tried = run("verify_backups", house.tenant.slug)["tried"]
    assert [(each["backup"], each["fault"]) for each in tried] == [(str(backup.pk), "")]
    assert run("restore_tenant", house.tenant.slug, "--dry-run")["backup"] == str(backup.pk)
    assert run("restore_tenant", house.tenant.slug)["backup"] == str(backup.pk)
    found = run("restore_tenant", attackers.tenant.slug, "--dry-run")["backup"]
    assert found == str(forged.pk)


def test_a_tenant_that_the_database_does_not_know_is_found_by_its_name() -> None:
    """As after it was brought back from before there was one; nobody else takes that name."""
    gone, other = take(build_tenant()), take(build_tenant())
    with connected("DATABASE_SUPERUSER_URL") as database:
        rename = "UPDATE public.backups_backup SET slug = %s, tenant_id = %s WHERE id = %s"
        database.execute(rename, ["lost", uuid4(), gone.pk])
        rename = "UPDATE public.backups_backup SET slug = %s, taken_at = '2100-01-01' WHERE id = %s"
        database.execute(rename, ["lost", other.pk])
        database.commit()
    assert queries.newest_of("lost") == gone.pk
    with pytest.raises(NoBackup, match="another tenant's"):
        queries.of_tenant("lost", other.pk)


def aged(backup: Backup, days: int) -> Backup:
    Backup.objects.filter(pk=backup.pk).update(taken_at=now() - timedelta(days=days))
    return backup


def test_what_the_plan_does_not_keep_goes() -> None:
    tenant = build_tenant()
    backups = [aged(take(tenant), days=2 * n + 1) for n in range(9)]
    surplus = {str(backup.id) for backup in backups[7:]}
    ours = {str(backup.id) for backup in backups}
    assert set(run("prune_backups", "--dry-run")["removed"]) & ours == surplus
    assert all(archive_of(backup).exists() for backup in backups)
    assert set(run("prune_backups")["removed"]) & ours == surplus
    for backup in backups:
        backup.refresh_from_db()
        is_gone = str(backup.id) in surplus
        assert (backup.status == "removed") == is_gone
        assert archive_of(backup).exists() != is_gone
    assert not set(run("prune_backups")["removed"]) & ours


def test_what_was_broken_off_ends_and_what_was_done_is_adopted(storage: Storage) -> None:
    tenant = build_tenant()
    done, old, fresh, of_work = (take(tenant, r) for r in ("asked", "asked", "asked", "undo"))
    Backup.objects.filter(tenant_id=tenant.id).exclude(reason="nightly").update(status="running")
    long_ago = now() - actions.GIVEN_UP - timedelta(minutes=1)
    Backup.objects.filter(pk__in=[done.pk, old.pk]).update(asked_at=long_ago)
    for half in (old, fresh, of_work):
        storage.remove(f"{tenant.id}/{half.id}.json")
    assert actions.take_up(now=now()) >= 4
    found = dict(
        Backup.objects.filter(tenant_id=tenant.id)
        .exclude(reason="nightly")
        .values_list("id", "status")
    )
    failed = {old.id: "failed", of_work.id: "failed"}
    assert found == {done.id: "complete", fresh.id: "asked", **failed}
    assert not archive_of(old).exists()
    assert not archive_of(of_work).exists()
    taken = actions.carry_out(backup_id=fresh.id, now=now())
    assert (taken.status, entry_of(fresh).sha256) == ("complete", taken.sha256)


def test_an_archive_without_its_entry_does_not_count(storage: Storage) -> None:
    backup = take(build_tenant())
    storage.remove(f"{backup.tenant_id}/{backup.id}.json")
    assert stored() == [f"{backup.id}.bulkhead"]
    assert entries(storage) == []
    with pytest.raises(NoBackup):
        entry_of(backup)


def test_only_who_takes_backups_has_their_keys(tmp_path: Path) -> None:
    """Web, beat and replay have neither the log-in nor the master key."""
    installation = Installation.of({"BULKHEAD_DATA_DIR": str(tmp_path)})
    everything = dict.fromkeys([*VARIABLES.values(), "BACKUP_KEYS", "PATH"], "x")
    programs = {program.name: program for program in installation.programs(everything)}
    for name in ("web", "beat", "worker"):
        assert not {"BACKUP_KEYS", "DATABASE_BACKUP_URL"} & set(programs[name].environment)
    assert settings.BACKUP_KEYS
