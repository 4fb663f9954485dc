"""A tenant goes back to an instant, by all that was committed then, while the others go on."""

from __future__ import annotations

import errno
import os
import random
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event, Thread
from typing import Any
from unittest import mock
from uuid import uuid4

import psutil
import psycopg
import pytest
from django.conf import settings as installed
from django.core.management import CommandError
from psycopg import conninfo
from pytest_django.fixtures import Settings

from backups import restoring, snapshot
from backups.archive.errors import ArchiveUnfit
from backups.errors import BackupBehind, OtherShape, WrongBackupKey
from backups.models import Backup
from backups.platform import (
    actions,
    bases,
    copying,
    instants,
    recovering,
    segments,
    server,
    standing,
    wal,
)
from backups.platform.base import Base
from backups.platform.bases import Stored
from backups.platform.errors import (
    AlreadyThere,
    BaseNotTaken,
    InstantToCome,
    InstantTooEarly,
    NoBase,
    NotAtInstant,
    NoTenantThen,
    WalMissing,
    WalNotArchived,
)
from backups.storage import place
from backups.storage.interface import Storage
from tenants.identifiers import made_at
from tenants.models import Tenant
from tenants.moving import carrying
from tests.backups.keepers import BY, restore, rows, take
from tests.backups.platform.conftest import Then
from tests.backups.platform.platforms import (
    away,
    clock,
    copy,
    kill,
    left_over,
    needed_wal,
    of_instant,
    put_back,
    quiet,
    spoiled,
    untouched,
)
from tests.backups.test_commands import run
from tests.cast import House, build_house, build_tenant, now
from tests.market import Market
from tests.scenarios.processes import until
from tests.tenants.moving.movers import trade

INSTANTS = int(os.environ.get("PITR_INSTANTS", "1"))
KILLS = int(os.environ.get("PITR_KILLS", "0"))
_EVERY = 0.1  # seconds
_EVENT = (
    'INSERT INTO "{}".trading_notification (tenant_id, id, user_id, number, kind, at, data)'
    " VALUES (%s, gen_random_uuid(), %s, %s, 'tick', clock_timestamp(), '{{}}') RETURNING at"
)


def test_a_tenant_is_what_it_was_and_the_others_are_what_they_are(
    full: Base, house: House, market: Market
) -> None:
    trade(house.alice, market)
    was, at = rows(house.tenant), clock()
    trade(house.bob, market)
    trade(house.mallory, market)
    since, theirs = rows(house.tenant), rows(house.mallory.tenant)
    entry = of_instant(house.tenant.slug, at)
    assert (rows(house.tenant), entry.taken_at) == (since, at)
    restoring.restore(entry=entry, by=BY, now=now(), report=quiet().report)
    assert rows(house.tenant) == was
    assert rows(house.mallory.tenant) == theirs
    assert left_over() == set()


def test_by_the_command_the_difference_first(full: Base, market: Market) -> None:
    house = build_house("starter")
    trade(house.alice, market)
    was, at = rows(house.tenant), clock()
    trade(house.bob, market)
    since = rows(house.tenant, without=frozenset())
    told = run("restore_tenant", house.tenant.slug, "--at", at.isoformat(), "--dry-run")
    (orders,) = [each for each in told["differences"] if each["table"] == "trading_order"]
    assert (orders["missing"], orders["extra"]) == (0, 4)
    phases = ["WAL brought", "copy brought", "WAL gone through", "tenant taken out", "compared"]
    assert list(told["seconds"]) == phases
    assert rows(house.tenant, without=frozenset()) == since
    assert Backup.objects.get(pk=told["backup"]).reason == "instant"
    run("restore_tenant", house.tenant.slug, "--backup", told["backup"])
    assert rows(house.tenant) == was


def test_a_tenant_that_was_deleted_since_comes_back(full: Base, market: Market) -> None:
    house, slug = build_house("enterprise"), f"r{uuid4().hex[:12]}"
    trade(house.alice, market)
    was, at = rows(house.tenant), clock()
    run("delete_tenant", house.tenant.slug, "--yes")
    run("restore_tenant", house.tenant.slug, "--at", at.isoformat(), "--into", slug)
    assert rows(Tenant.objects.get(slug=slug))["trading_order"] == was["trading_order"]


def test_the_server_of_then_lets_nobody_else_in_and_changes_nothing(then: Then) -> None:
    said = conninfo.conninfo_to_dict(then.instant.url)
    for user in ("postgres", "bulkhead_owner", "bulkhead_app"):
        with pytest.raises(psycopg.OperationalError, match="no pg_hba"):
            psycopg.connect(**{**said, "user": user})
    with psycopg.connect(then.instant.url) as there:
        for name, value in (("listen_addresses", ""), ("archive_mode", "off")):
            assert there.execute(f"SHOW {name}".encode()).fetchone() == (value,)
        with pytest.raises(psycopg.Error, match="during recovery"):
            there.execute("SELECT pg_current_xact_id()")
    assert server.facts().started_at != server.facts(then.instant.url).started_at


def test_a_server_that_others_brought_there_serves_as_well(then: Then, settings: Settings) -> None:
    slug, at = then.house.tenant.slug, then.instant.at
    settings.DATABASE_CLONE_URL = then.instant.url
    assert of_instant(slug, at).rows > 10
    with pytest.raises(NotAtInstant, match="It stands at"):
        of_instant(slug, at - timedelta(days=1))
    with pytest.raises(NoTenantThen):
        of_instant(build_tenant().slug, at)
    settings.DATABASE_CLONE_URL = settings.DATABASE_BACKUP_URL
    with pytest.raises(NotAtInstant, match="the live server"):
        of_instant(slug, at)


def test_what_this_release_would_leave_behind_is_named(
    then: Then, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.DATABASE_CLONE_URL = then.instant.url
    first, *others = carrying.tables()
    fewer = type(first)(first.name, first.columns[:-1])
    monkeypatch.setattr(carrying, "tables", lambda: (fewer, *others))
    with pytest.raises(OtherShape, match=f"{first.name} had a column {first.columns[-1]}"):
        of_instant(then.house.tenant.slug, then.instant.at)


def test_a_standby_that_is_behind_gives_no_undo(
    then: Then, house: House, market: Market, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would be of another state than the one that goes."""
    backup = take(house.tenant)
    trade(house.bob, market)
    since = rows(house.tenant, without=frozenset())
    settings.DATABASE_BACKUP_URL = then.instant.url
    monkeypatch.setattr(snapshot, "_BEHIND_AT_MOST", 0.3)
    with pytest.raises(BackupBehind):
        restore(backup)
    assert rows(house.tenant, without=frozenset()) == since
    assert house.alice.get("orders/").status_code == 200


def test_what_cannot_be_reached_is_named_with_what_can(full: Base, settings: Settings) -> None:
    slug = build_tenant().slug
    with pytest.raises(InstantTooEarly, match="The first instant"):
        of_instant(slug, full.ended_at - timedelta(microseconds=1))
    with pytest.raises(InstantToCome):
        of_instant(slug, clock() + timedelta(hours=1))
    settings.BACKUP_STORAGE += "-that-is-empty"
    with pytest.raises(NoBase, match="backup_platform"):
        of_instant(slug, clock())


@pytest.mark.parametrize("at", ["2026-11-21T10:15:00", "2026-11-21", "yesterday", ""])
def test_an_instant_without_its_zone_is_none(at: str) -> None:
    with pytest.raises(CommandError, match="--at"):
        run("restore_tenant", "acme", "--at", at)


def test_a_missing_file_of_wal_is_named(full: Base, storage: Storage) -> None:
    """The first that is needed, and one on the way."""
    house = build_house("starter")
    on_the_way = place.wal(server.mark())
    wal.ship_all(storage)
    at = clock()
    for name in (needed_wal(), on_the_way):
        with untouched(house), away(name), pytest.raises(WalMissing) as missed:
            of_instant(house.tenant.slug, at)
        assert Path(name).stem.upper() in missed.value.detail
    put_back(house, at)


def test_what_was_changed_in_the_storage_restores_nothing(full: Base) -> None:
    house, at = build_house("starter"), clock()
    for name in (needed_wal(), place.part_of_base(full.id, bases.TAR), place.base(full.id)):
        with untouched(house), spoiled(name), pytest.raises(ArchiveUnfit):
            of_instant(house.tenant.slug, at)


def test_another_master_key_restores_nothing_before_all_is_resealed(
    full: Base, settings: Settings
) -> None:
    house, at, old, new = build_house("starter"), clock(), settings.BACKUP_KEYS, ["33" * 32]
    settings.BACKUP_KEYS = new
    with untouched(house), pytest.raises(WrongBackupKey):
        of_instant(house.tenant.slug, at)
    settings.BACKUP_KEYS = new + old
    assert run("reseal_backups")["resealed"]
    settings.BACKUP_KEYS = new
    assert of_instant(house.tenant.slug, at).slug == house.tenant.slug
    settings.BACKUP_KEYS = old + new  # other tests read the same storage
    run("reseal_backups")


def test_where_something_is_or_something_lacks_nothing_is_recovered(
    full: Base, storage: Storage, settings: Settings
) -> None:
    with pytest.raises(AlreadyThere):
        recovering.recover(phases=quiet())
    on_the_way = place.wal(server.mark())
    server.mark()
    wal.ship_all(storage)
    with tempfile.TemporaryDirectory(prefix="bulkhead-") as folder:
        Path(folder).chmod(0o755)  # PostgreSQL may run as another user than this process
        settings.BULKHEAD_DATA_DIR = Path(folder) / "data"
        with away(on_the_way), pytest.raises(WalMissing, match=Path(on_the_way).stem.upper()):
            recovering.recover(phases=quiet())
        settings.BACKUP_KEYS = ["33" * 32]
        with pytest.raises(WrongBackupKey):
            recovering.recover(phases=quiet())
        assert not (settings.BULKHEAD_DATA_DIR / "postgres").exists()
        assert not (settings.BULKHEAD_DATA_DIR / "secrets.json").exists()


def full_disk(*_: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize("where", ["unpacking.extract", "feed.wal.fetch", "sealed.Sealing.write"])
def test_a_full_disk_is_said_and_leaves_nothing(full: Base, storage: Storage, where: str) -> None:
    house, at = build_house("starter"), clock()
    lay = set(storage.names(place.bases()))
    with untouched(house), mock.patch(f"backups.platform.{where}", full_disk):
        with pytest.raises(CommandError, match="No space left"):
            run("restore_tenant", house.tenant.slug, "--at", at.isoformat())
        if where == "sealed.Sealing.write":
            with pytest.raises(CommandError, match="No space left"):
                run("backup_platform")
    assert set(storage.names(place.bases())) == lay
    assert of_instant(house.tenant.slug, at).slug == house.tenant.slug


def test_a_server_that_hands_over_nothing_is_told_in_time(
    full: Base, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wal, "_ARRIVES", 0.5)
    monkeypatch.setattr(wal, "_bring", lambda _storage: 0)
    with pytest.raises(WalNotArchived, match="has not handed over"):
        of_instant(build_tenant().slug, clock())


def test_wal_of_another_server_is_not_taken_for_ours(full: Base, storage: Storage) -> None:
    name = Path(needed_wal()).stem.upper()
    laid_down = Path(installed.WAL_SPOOL) / name
    laid_down.write_bytes(b"x" * full.segment_size)
    with pytest.raises(WalNotArchived, match=f"Another {name}"):
        wal.ship(storage)
    laid_down.unlink()
    wal.ship(storage)


def test_what_the_server_cannot_hand_over_waits_with_it(full: Base) -> None:
    with psycopg.connect(os.environ["DATABASE_SUPERUSER_URL"]) as database:
        ((name,),) = database.execute("SELECT pg_walfile_name(pg_current_wal_lsn())").fetchall()
    in_its_way = Path(installed.WAL_SPOOL) / name
    in_its_way.write_bytes(b"another")
    assert server.mark() >= name
    until(lambda: server.archiver().waiting.files)
    waits = server.archiver().waiting
    assert waits.size == waits.files * full.segment_size > 0
    standing.look()
    seen = standing.seen()
    assert seen is not None
    assert seen.waiting["server"].files
    assert seen.copied_at == made_at(full.id)
    in_its_way.unlink()
    wal.ship_all(place.chosen())
    until(lambda: not server.archiver().waiting.files)
    assert wal.waiting().files == 0


@dataclass(frozen=True)
class Tick:
    """A row, and between which moments of the server's clock it was committed."""

    number: int
    begun: datetime
    done: datetime


@contextmanager
def ticking(house: House) -> Iterator[list[Tick]]:
    """Rows that come one by one, each a commit of its own."""
    ticks: list[Tick] = []
    is_over = Event()

    def tick() -> None:
        statement = _EVENT.format(house.tenant.live_schema).encode()
        with psycopg.connect(os.environ["DATABASE_SUPERUSER_URL"], autocommit=True) as database:
            while not is_over.wait(_EVERY):
                given = [house.tenant.id, house.alice.user_id, len(ticks) + 1]
                ((begun,),) = database.execute(statement, given).fetchall()
                ((done,),) = database.execute("SELECT clock_timestamp()").fetchall()
                ticks.append(Tick(len(ticks) + 1, begun, done))

    thread = Thread(target=tick)
    thread.start()
    yield ticks
    is_over.set()
    thread.join()


def between(ticks: list[Tick], chance: random.Random) -> datetime:
    """An instant in which no row was on its way."""
    one = chance.randrange(len(ticks) - 1)
    gap = ticks[one + 1].begun - ticks[one].done
    return ticks[one].done + gap * chance.random()


def test_exactly_the_rows_that_were_committed_by_then(full: Base, house: House) -> None:
    """Instants in no order: from a copy with changes since another, too."""
    chance = random.Random(1)
    with ticking(house) as ticks:
        time.sleep(1)
        since = copy(is_incremental=True)
        time.sleep(1.5)
    later = [tick for tick in ticks if tick.begun > since.ended_at]
    drawn = [between(later, chance), *(between(ticks, chance) for _ in range(INSTANTS - 1))]
    for at in drawn:
        put_back(house, at)
        found = {row["number"] for (row,) in rows(house.tenant)["trading_notification"]}
        assert found == {tick.number for tick in ticks if tick.done <= at}, at


def test_copies_stand_on_one_another(full: Base, storage: Storage) -> None:
    first = copy(is_incremental=True)
    second = copy(is_incremental=True)
    chain = bases.stored(storage).chain(second)
    assert [each.id for each in chain[-2:]] == [first.id, second.id]
    assert chain[0] == full
    assert second.size < full.size / 2


def sweep(database: psycopg.Connection[Any], table: str) -> None:
    """Until everybody may see all of it, for which whoever looks elsewhere has to be done."""
    seen = f"SELECT relallvisible = relpages FROM pg_class WHERE oid = '{table}'::regclass"
    for _ in range(100):
        database.execute(f"VACUUM {table}".encode())
        if database.execute(seen.encode()).fetchone() == (True,):
            return
        time.sleep(0.1)
    raise AssertionError(table)


def test_rows_that_were_gone_are_not_seen_again(full: Base) -> None:
    """By an index alone, in a table that was vacuumed before they went: what pages everybody sees
    all of is not in a copy of changes."""
    house = build_house("enterprise")
    events = f'"{house.tenant.live_schema}".trading_notification'
    with psycopg.connect(os.environ["DATABASE_SUPERUSER_URL"], autocommit=True) as database:
        for number in range(1, 11):
            given = [house.tenant.id, house.alice.user_id, number]
            database.execute(_EVENT.format(house.tenant.live_schema).encode(), given)
        sweep(database, events)
        copy(is_incremental=True)
        database.execute(f"DELETE FROM {events} WHERE number > 7".encode())
        copy(is_incremental=True)
    with (
        instants.standing(clock(), quiet()) as instant,
        psycopg.connect(instant.url, options="-c enable_seqscan=off") as there,
    ):
        count = f"SELECT count(*) FROM {events} WHERE tenant_id = '{house.tenant.id}'"
        (plan, *_) = there.execute(f"EXPLAIN {count}".encode()).fetchall()[1]
        assert "Index Only Scan" in plan
        assert there.execute(count.encode()).fetchone() == (7,)


def test_a_night_takes_what_has_changed_and_a_sunday_all(
    full: Base, storage: Storage, settings: Settings
) -> None:
    sunday = datetime(2026, 11, 22, 0, 30, tzinfo=UTC)
    how: dict[str, Any] = {"by": BY.name, "phases": quiet()}
    monday = actions.take_due(now=sunday + timedelta(days=1), **how)
    assert monday is not None
    assert monday.parent is not None
    really = copying.take

    def knows_no_changes(storage: Storage, *, parent: Base | None) -> Base:
        if parent:
            raise BaseNotTaken
        return really(storage, parent=parent)

    with mock.patch.object(copying, "take", knows_no_changes):
        instead = actions.take_due(now=sunday + timedelta(days=2), **how)
    assert instead is not None
    assert instead.parent is None
    settings.BACKUP_STORAGE += "-that-is-empty"
    assert actions.take_due(now=sunday, **how) is None


def test_wal_of_the_first_copy_stays_while_that_is_being_taken(full: Base) -> None:
    with mock.patch.object(bases, "stored", return_value=Stored((), {})):
        assert actions.prune(now=now(), by=BY.name, dry_run=True).wal == 0


def test_a_copy_that_was_broken_off_goes_in_time(full: Base, storage: Storage) -> None:
    with mock.patch.object(bases, "put"):
        lost = copy()
    parts = {name for name in storage.names(place.bases()) if str(lost.id) in name}
    assert len(parts) == 3
    assert lost not in bases.stored(storage).bases
    actions.prune(now=now(), by=BY.name)
    assert parts <= set(storage.names(place.bases()))
    actions.prune(now=now() + timedelta(days=2, minutes=1), by=BY.name)
    assert not parts & set(storage.names(place.bases()))
    assert full in bases.stored(storage).bases


@pytest.mark.skipif(not KILLS, reason="only in campaigns: PITR_KILLS says how often")
def test_a_kill_changes_nothing_by_halves(full: Base, market: Market) -> None:
    """Whenever it comes: the tenant is as it was, or as it was then."""
    house, chance = build_house("enterprise"), random.Random(2)
    trade(house.alice, market)
    then, at = rows(house.tenant), clock()
    trade(house.bob, market)
    since, at_work = rows(house.tenant), scratch_servers()
    for _ in range(KILLS):
        command = ["restore_tenant", house.tenant.slug, "--at", at.isoformat()]
        kill(command, chance.uniform(1, 8))
        assert rows(house.tenant) in (since, then)
        kill(["backup_platform"], chance.uniform(1, 5))
    put_back(house, at)
    assert rows(house.tenant) == then
    assert scratch_servers() == at_work
    copy()


def scratch_servers() -> set[str]:
    """The folders that processes work in."""
    found = (str(process.info["cwd"]) for process in psutil.process_iter(["cwd"]))
    return {folder for folder in found if "/scratch/" in folder}


def test_what_leads_to_no_instant_that_is_kept_goes(full: Base, storage: Storage) -> None:
    """Last in this file: it takes the first copy away."""
    later = copy()
    long_after = now() + timedelta(days=installed.PLATFORM_BACKUP_DAYS, minutes=1)
    would = actions.prune(now=long_after, by=BY.name, dry_run=True)
    assert full in would.bases
    assert full in bases.stored(storage).bases
    gone = actions.prune(now=long_after, by=BY.name)
    assert (gone.bases, gone.wal) == (would.bases, would.wal)
    assert bases.stored(storage).bases == (later,)
    kept = [Path(name).stem.upper() for name in storage.names(place.wals())]
    numbers = [segments.segment(file, later.segment_size).number for file in kept]
    assert min(numbers) == later.first_segment
    tenant = build_tenant()
    assert of_instant(tenant.slug, clock()).slug == tenant.slug
