"""Copies, pruning and recovery of a real server beside an entry that was altered or torn."""

from __future__ import annotations

import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from threading import Event

import pytest
from django.core.management import CommandError
from django.test import override_settings

from backups import tasks
from backups.platform import actions, bases, recovering, server, wal
from backups.platform.base import Base
from backups.platform.errors import BaseUnfit
from backups.platform.recovering import Recovered
from backups.storage import place
from backups.storage.interface import Storage
from tests.backups.keepers import BY
from tests.backups.platform.platforms import clock, copy, of_instant, quiet, spoiled, torn
from tests.backups.test_commands import run
from tests.cast import build_tenant

_MONDAY = datetime(2026, 11, 23, 0, 30, tzinfo=UTC)


@pytest.fixture(scope="module")
def newest(full: Base) -> Base:
    """A second full one, after the first and its changes."""
    copy(is_incremental=True)
    return copy()


def recovered() -> Recovered:
    """Into an empty data folder."""
    with tempfile.TemporaryDirectory(prefix="bulkhead-") as folder:
        Path(folder).chmod(0o755)  # PostgreSQL may run as another user than this process
        with override_settings(BULKHEAD_DATA_DIR=Path(folder) / "data"):
            done = recovering.recover(phases=quiet())
        assert (done.folder / "postgres" / "PG_VERSION").exists()
        return done


def test_beside_an_oldest_that_was_altered_all_goes_on(
    full: Base, newest: Base, storage: Storage
) -> None:
    name = place.base(full.id)
    with spoiled(name):
        before = bases.stored(storage)
        since = run("backup_platform", "--incremental")
        assert since["parent"] == str(before.newest().id)
        assert list(since["unfit"]) == [name]
        assert list(run("prune_backups")["unfit"]) == [name]
        tasks.copy_platform()
        after = bases.stored(storage)
        assert len(after.bases) == len(before.bases) + 2
        done = recovered()
        assert done.base == after.newest()
        assert list(done.unfit) == [name]
    assert full in bases.stored(storage).bases


def test_beside_a_newest_that_is_torn_all_goes_on(newest: Base, storage: Storage) -> None:
    last, tenant = copy(), build_tenant()
    name, at = place.base(last.id), clock()
    with torn(name):
        before = bases.stored(storage)
        assert last not in before.bases
        done = recovered()
        assert done.base == before.newest()
        assert list(done.unfit) == [name]
        assert of_instant(tenant.slug, at).slug == tenant.slug
        night = actions.take_due(now=_MONDAY, by=BY.name, phases=quiet())
        assert night is not None
        assert night.parent == before.newest().id
        since = run("backup_platform", "--incremental")
        assert since["parent"] == str(night.id)
        assert list(since["unfit"]) == [name]
        assert list(run("prune_backups")["unfit"]) == [name]
    assert last in bases.stored(storage).bases


def test_what_stands_on_it_is_refused_by_its_name_and_the_night_takes_a_full_one(
    newest: Base, storage: Storage
) -> None:
    fulls = [base for base in bases.stored(storage).bases if base.parent is None]
    with ExitStack() as stack:
        for base in fulls:
            stack.enter_context(spoiled(place.base(base.id)))
        assert bases.stored(storage).bases
        for command in ("backup_platform", "--incremental"), ("recover_platform",):
            with (
                override_settings(BULKHEAD_DATA_DIR=Path("/nowhere")),
                pytest.raises(CommandError, match=f"base_unfit.*{place.base(newest.id)}"),
            ):
                run(*command)
        with pytest.raises(BaseUnfit, match=place.base(newest.id)):
            of_instant(build_tenant().slug, clock())
        night = actions.take_due(now=_MONDAY, by=BY.name, phases=quiet())
        assert night is not None
        assert night.parent is None
        assert recovered().base == night


def test_a_night_and_a_command_bear_that_timers_ship(newest: Base, storage: Storage) -> None:
    """With a backlog, and two more who take from it all the while."""
    is_over = Event()

    def ship_on() -> None:
        while not is_over.is_set():
            tasks.ship_wal()

    for _ in range(6):
        server.mark()
    with ThreadPoolExecutor(3) as threads:
        timers = [threads.submit(ship_on) for _ in range(2)]
        try:
            command = threads.submit(actions.ship_all)
            night = actions.take_due(now=_MONDAY, by=BY.name, phases=quiet())
            command.result()
        finally:
            is_over.set()
        for timer in timers:
            timer.result()
    assert night == bases.stored(storage).newest()
    assert wal.waiting().files == 0
