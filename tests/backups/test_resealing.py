"""The master key rotates: the new one opens what the old one has sealed, and that one goes."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest
from django.core.management import CommandError
from pytest_django.fixtures import Settings

from accounts.trail.models import PlatformEvent
from backups import catalogue, keys, resealing
from backups.errors import WrongBackupKey
from backups.models import Backup
from backups.platform import sealed
from backups.storage import place
from backups.storage.interface import Storage
from tests.backups.keepers import entry_of, restore, rows, take
from tests.backups.test_commands import run
from tests.cast import House, build_tenant
from tests.market import Market
from tests.tenants.moving.movers import trade

OLD, NEW = "11" * 32, "22" * 32
WAL = place.wal("000000010000000000000002")


@pytest.fixture(autouse=True)
def _before(settings: Settings) -> None:
    settings.BACKUP_KEYS = [OLD]


def as_they_lie(storage: Storage) -> dict[str, bytes]:
    """Archives and copies, without the keys."""
    found = {}
    for name in storage.names(""):
        if not name.endswith(place.KEY):
            with storage.reading(name) as source:
                found[name] = source.read(1 << 24)
    return found


def test_the_old_key_may_go_and_a_tenant_is_put_back(
    house: House, market: Market, settings: Settings
) -> None:
    trade(house.alice, market)
    backup, was = take(house.tenant), rows(house.tenant)
    trade(house.bob, market)
    settings.BACKUP_KEYS = [NEW, OLD]
    assert run("reseal_backups")["resealed"] == 1
    settings.BACKUP_KEYS = [NEW]
    restore(backup)
    assert rows(house.tenant) == was
    assert run("verify_backups", house.tenant.slug)["unfit"] == 0


def test_keys_of_all_go_under_the_new_one_and_nothing_else_is_written(
    storage: Storage, settings: Settings
) -> None:
    """Of the whole server's copies and WAL too, and of tenants that are gone."""
    backups, gone = [take(build_tenant()) for _ in range(2)], keys.make(storage, uuid4())
    keys.make(storage, backups[0].tenant_id)
    with sealed.writing(storage, WAL) as sink:
        sink.write(b"changes")
    lay = as_they_lie(storage)
    settings.BACKUP_KEYS = [NEW, OLD]
    todo = {"owners": 4, "keys": 5, "resealed": 5}
    assert run("reseal_backups", "--dry-run") == {"dry_run": True, **todo}
    assert run("reseal_backups") == {"dry_run": False, **todo}
    assert run("reseal_backups")["resealed"] == 0
    settings.BACKUP_KEYS = [NEW]
    assert as_they_lie(storage) == lay
    assert sealed.content(storage, WAL) == b"changes"
    for backup in backups:
        assert catalogue.check(storage, entry_of(backup)).backup == backup.id
    owner = next(UUID(name[:36]) for name in storage.names("") if str(gone.id) in name)
    assert keys.of(storage, owner, gone.id) == gone


def test_before_it_is_done_both_keys_are_needed_and_after_it_new_ones_are_under_the_new(
    storage: Storage, settings: Settings
) -> None:
    before, tenant = take(build_tenant()), build_tenant()
    settings.BACKUP_KEYS = [NEW, OLD]
    after = take(tenant)
    settings.BACKUP_KEYS = [NEW]
    assert opens(storage, after)
    assert not opens(storage, before)
    settings.BACKUP_KEYS = [OLD]
    assert opens(storage, before)
    assert not opens(storage, after)


def opens(storage: Storage, backup: Backup) -> bool:
    try:
        return catalogue.check(storage, entry_of(backup)).backup == backup.id
    except WrongBackupKey:
        return False


def test_what_no_key_opens_is_named_and_the_others_are_done(
    storage: Storage, settings: Settings
) -> None:
    lost, tenant = build_tenant(), build_tenant()
    settings.BACKUP_KEYS = ["33" * 32]
    shut = keys.make(storage, lost.id)
    settings.BACKUP_KEYS = [OLD]
    backup = take(tenant)
    settings.BACKUP_KEYS = [NEW, OLD]
    for _ in range(2):
        with pytest.raises(CommandError, match=rf"none of BACKUP_KEYS opens: {lost.slug}") as told:
            run("reseal_backups")
        assert str(shut.id) in str(told.value)
    settings.BACKUP_KEYS = [NEW]
    assert opens(storage, backup)


def test_it_is_on_record_and_a_dry_run_is_not(settings: Settings) -> None:
    take(build_tenant())
    settings.BACKUP_KEYS, by = [NEW, OLD], f"system:{uuid4()}"
    for dry_run in (True, False):
        resealing.reseal(by=by, report=len, dry_run=dry_run)
    event = PlatformEvent.objects.get(action="backup_keys.resealed", actor=by)
    assert event.after == {"keys": 1, "resealed": 1, "shut": 0}


def test_a_tenants_archives_have_a_new_key_from_then_on(storage: Storage) -> None:
    tenant, other = build_tenant(), build_tenant()
    before, others = take(tenant), take(other)
    key = run("reseal_backups", "--renew", tenant.slug)["key"]
    after = take(tenant)
    assert str(entry_of(after).key) == key != str(entry_of(before).key)
    assert entry_of(take(other)).key == entry_of(others).key
    assert opens(storage, before)
    assert opens(storage, after)
    event = PlatformEvent.objects.get(action="backup_keys.renewed", key=tenant.slug)
    assert event.after == {"key": key}
    with pytest.raises(CommandError, match="no tenant 'nobody'"):
        run("reseal_backups", "--renew", "nobody")


def test_without_keys_nothing_is_resealed(settings: Settings) -> None:
    take(build_tenant())
    settings.BACKUP_KEYS = []
    with pytest.raises(CommandError, match="backup_keys_missing"):
        run("reseal_backups")
