"""A backup holds one tenant at one moment: all of it, and nothing of anybody else."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from threading import Barrier, Thread
from typing import Any
from unittest import mock
from uuid import uuid4

import psycopg
import pytest
from django.db import connections, transaction
from psycopg.errors import InsufficientPrivilege
from pytest_django.fixtures import Settings

from accounts.trail.models import PlatformEvent
from backups import actions, asking, catalogue, keys, queries, tasks
from backups.errors import BackupKeysMissing, BackupKeyUnfit, NoBackup, RowsMissing
from backups.models import Backup
from backups.snapshot import Snapshot
from backups.storage import place
from backups.storage.interface import Storage
from backups.swapping import TRAIL
from tenants.moving import carrying
from tests.backups.keepers import archive_of, entry_of, rows, stored, take
from tests.cast import House, build_house, build_tenant, job, now
from tests.isolation.database import connected
from tests.market import Market
from tests.scenarios.test_first_trade import open_account
from tests.tenants.moving.movers import trade


def content(storage: Storage, backup: Backup) -> bytes:
    """All rows of an archive, in the clear."""
    with catalogue.reading(storage, entry_of(backup)) as reader:
        return b"".join(b"".join(blocks) for _, blocks in reader.tables())


def test_every_row_of_the_tenant_is_in_it_and_none_of_another(
    house: House, market: Market, storage: Storage
) -> None:
    for person in (house.alice, house.bob, house.mallory):
        trade(person, market)
    backup = take(house.tenant)
    manifest = catalogue.check(storage, entry_of(backup))
    counted = {name: len(found) for name, found in rows(house.tenant, without=frozenset()).items()}
    assert {facts.name: facts.rows for facts in manifest.tables} == counted
    assert sum(counted.values()) == backup.rows == manifest.rows > 20
    text = content(storage, backup)
    assert str(house.alice.user_id).encode() in text
    for secret in (house.mallory.user_id, house.mallory.tenant.id, house.tenant.id):
        assert str(secret).encode() not in text or secret == house.tenant.id


def test_the_manifest_says_what_and_when_and_who(house: House, storage: Storage) -> None:
    open_account(house.alice)
    backup = take(house.tenant)
    manifest = catalogue.check(storage, entry_of(backup))
    origin = manifest.origin
    assert (origin.tenant, origin.slug, origin.plan) == (
        house.tenant.id,
        house.tenant.slug,
        house.tier,
    )
    assert origin.placement == house.tenant.placement
    assert origin.at == backup.taken_at
    assert {app for app, _ in origin.migrations} == {"audit", "trading"}
    assert "/" in origin.lsn
    assert int(origin.system) > 0
    assert {person.email: person.role for person in manifest.people} == {
        person.email: person.role for person in (house.alice, house.bob, house.olga, house.vera)
    }
    assert "tenant_id" not in {c.name for facts in manifest.tables for c in facts.columns}
    assert archive_of(backup).stat().st_size == backup.size


def test_it_is_one_moment_whatever_happens_meanwhile(
    house: House, market: Market, storage: Storage
) -> None:
    trade(house.alice, market)
    before = rows(house.tenant, without=frozenset())
    heads = Snapshot.heads

    def later(seen: Snapshot) -> Any:
        trade(house.bob, market)
        return heads(seen)

    with mock.patch.object(Snapshot, "heads", later):
        backup = take(house.tenant)
    assert backup.rows == sum(map(len, before.values()))
    assert len(rows(house.tenant)["trading_order"]) > len(before["trading_order"])


def test_it_is_on_record_and_complete(house: House) -> None:
    backup = take(house.tenant, "first")
    stored_row = Backup.objects.get(pk=backup.pk)
    assert (stored_row.status, stored_row.reason) == ("complete", "first")
    assert stored_row.finished_at is not None
    events = PlatformEvent.objects.filter(kind="backup", key=str(backup.pk))
    assert list(events.values_list("action", flat=True)) == ["backup.taken"]
    assert stored() == [f"{backup.id}.bulkhead", f"{backup.id}.json"]


@pytest.mark.parametrize("method", ["heads", "rows", "people"])
def test_one_that_breaks_off_leaves_nothing_that_counts(house: House, method: str) -> None:
    def breaks(*_: Any) -> Any:
        raise psycopg.OperationalError

    with mock.patch.object(Snapshot, method, breaks), pytest.raises(psycopg.OperationalError):
        take(house.tenant)
    assert stored() == []
    failed = Backup.objects.get(tenant_id=house.tenant.id)
    assert (failed.status, failed.fault) == ("failed", "OperationalError")


def test_rows_that_are_counted_and_not_written_are_missed(house: House) -> None:
    open_account(house.alice)
    count = Snapshot.count
    with (
        mock.patch.object(Snapshot, "count", lambda *a: count(*a) + 1),
        pytest.raises(RowsMissing),
    ):
        take(house.tenant)
    assert stored() == []


def test_without_keys_none_is_taken(settings: Settings) -> None:
    tenant = build_tenant()
    settings.BACKUP_KEYS = []
    with pytest.raises(BackupKeysMissing):
        take(tenant)
    settings.BACKUP_KEYS = ["00"]
    with pytest.raises(BackupKeyUnfit):
        take(tenant)
    assert stored() == []


def test_inside_a_transaction_none_is_taken() -> None:
    """It could not see what is not committed yet."""
    tenant = build_tenant()
    with transaction.atomic(), pytest.raises(RuntimeError, match="durable"):
        take(tenant)


def test_the_backups_log_in_writes_nothing(house: House) -> None:
    """Tables of both tiers, and of the platform."""
    tables = [("public", "tenants_tenant"), ("public", "backups_backup")]
    tables += [(house.tenant.live_schema, table.name) for table in carrying.tables()]
    with connected("DATABASE_BACKUP_URL") as database:
        for schema, name in tables:
            database.execute(f'SELECT count(*) FROM "{schema}"."{name}"'.encode())
            for statement in (
                'INSERT INTO "{}"."{}" DEFAULT VALUES',
                'UPDATE "{}"."{}" SET id = id',
                'DELETE FROM "{}"."{}"',
                'TRUNCATE "{}"."{}"',
            ):
                with pytest.raises(InsufficientPrivilege), database.transaction():
                    database.execute(statement.format(schema, name).encode())


def test_a_key_is_the_tenants_and_is_not_in_the_database(house: House, storage: Storage) -> None:
    backup, other = take(house.tenant), take(house.mallory.tenant)
    ours, theirs = entry_of(backup).key, entry_of(other).key
    assert ours != theirs
    secret = keys.of(storage, house.tenant.id, ours).secret
    with connected("DATABASE_SUPERUSER_URL") as database:
        found = database.execute(b"SELECT b::text FROM public.backups_backup b").fetchall()
        text = database.execute(
            b"SELECT string_agg(e::text, '') FROM public.accounts_platformevent e"
        ).fetchone()
    said = f"{found}{text}"
    assert str(backup.id) in said
    assert secret.hex() not in said
    with connected() as application, pytest.raises(InsufficientPrivilege):
        application.execute(b"SELECT pg_read_file('secrets.json')")


def test_a_tenants_key_is_renewed_and_the_old_one_still_opens(storage: Storage) -> None:
    tenant = build_tenant()
    first = take(tenant)
    fresh = keys.make(storage, tenant.id)
    second = take(tenant)
    assert entry_of(second).key == fresh.id != entry_of(first).key
    for backup in (first, second):
        assert catalogue.check(storage, entry_of(backup)).backup == backup.id


def test_what_is_asked_for_is_taken_by_a_worker_once(house: House) -> None:
    with house.olga.inside():
        asked = asking.backup(now=now())
        assert asking.backup(now=now()) == asked
    for _ in range(2):
        tasks.take(str(asked.id))
    assert Backup.objects.get(pk=asked.pk).status == "complete"
    assert Backup.objects.filter(tenant_id=house.tenant.id).count() == 1
    with job(house.tenant):
        assert asking.backup(now=now()).status == "asked"


def test_one_that_nobody_asked_for_is_not_taken(house: House) -> None:
    with pytest.raises(NoBackup):
        actions.carry_out(backup_id=house.tenant.id, now=now())


def test_each_active_tenant_gets_one_a_night() -> None:
    tenant = build_tenant()
    planned = actions.plan(now=now())
    assert tenant.id in {backup.tenant_id for backup in planned}
    assert tenant.id not in {backup.tenant_id for backup in actions.plan(now=now())}
    assert tenant not in queries.due(now=now())
    assert len({backup.tenant_id for backup in planned}) == len(planned)


def test_several_who_plan_at_once_note_one_a_tenant() -> None:
    tenants = [build_tenant().id for _ in range(3)]
    start = Barrier(3)

    def plan() -> None:
        start.wait()
        try:
            actions.plan(now=now())
        finally:
            connections.close_all()

    threads = [Thread(target=plan) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    noted = Backup.objects.filter(tenant_id__in=tenants, reason="nightly")
    assert sorted(noted.values_list("tenant_id", flat=True)) == sorted(tenants)


def test_a_copy_of_the_server_that_takes_long_is_not_swept(
    storage: Storage, tmp_path: Path
) -> None:
    """It was begun a day ago, and waits for what comes next."""
    name = place.part_of_base(uuid4(), "tar")
    with storage.writing(name) as sink:
        (part,) = tmp_path.rglob("*.part")
        day_ago = (now() - timedelta(days=1)).timestamp()
        os.utime(part, (day_ago, day_ago))
        actions.prune(now=now())
        sink.write(b"the rest")
    assert list(storage.names(place.bases())) == [name]


def test_what_only_its_own_people_in_charge_see(house: House) -> None:
    backup, other = take(house.tenant), take(house.mallory.tenant)
    with house.olga.inside():
        assert list(Backup.objects.values_list("id", flat=True)) == [backup.id]
    with house.alice.inside():
        assert not Backup.objects.exists()
    with job(house.mallory.tenant):
        assert list(Backup.objects.values_list("id", flat=True)) == [other.id]


def test_tables_of_the_trail_are_those_of_the_audit_app() -> None:
    house = build_house("starter")
    assert {table.name for table in carrying.tables()} >= TRAIL
    assert {name for name in rows(house.tenant, without=frozenset()) if "audit" in name} == TRAIL
