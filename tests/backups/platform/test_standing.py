"""How the whole server stands with its copies and WAL: seen by who may, told to who measures."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

from backups import keys, measures, tasks
from backups.platform import bases, server, standing
from backups.storage import place
from backups.storage.errors import StorageAway
from backups.storage.folder import Folder
from config.observing import exposition
from tenants.identifiers import new_id
from tests.backups.platform.test_choice import WEEKS
from tests.cast import now
from tests.config.observing.scraped import read, value

SEGMENT = "0000000100000000000000{:02X}"
COPIED = "bulkhead_server_copied_timestamp_seconds"
ARCHIVED = "bulkhead_wal_archived_timestamp_seconds"
FILES, BYTES = "bulkhead_wal_waiting_files", "bulkhead_wal_waiting_bytes"
OLDEST = "bulkhead_wal_waiting_oldest_seconds"


@pytest.fixture(autouse=True)
def spool(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """One of this test's own, where WAL is kept; and so is what is noted."""
    monkeypatch.setattr(standing, "_KEY", f"standing-{new_id()}")
    folder = tmp_path / "spool"
    folder.mkdir()
    (folder / "keep").touch()
    settings.WAL_SPOOL = str(folder)
    settings.BACKUP_STORAGE = f"file://{tmp_path}/archives"
    return folder


def measured(name: str, **labels: str) -> float:
    return value(read(exposition.measured().decode()), name, **labels)


def lay(folder: Path, name: str, *, size: int, seconds: float = 0) -> None:
    path = folder / name
    path.write_bytes(bytes(size))
    os.utime(path, (time.time() - seconds,) * 2)


def test_what_was_laid_down_and_not_fetched_waits(spool: Path) -> None:
    lay(spool, SEGMENT.format(2), size=100, seconds=60)
    lay(spool, SEGMENT.format(3), size=10, seconds=5)
    lay(spool, f"{SEGMENT.format(4)}.part", size=1_000, seconds=900)  # still being copied
    tasks.look_at_server()
    assert measured(FILES, where="spool") == 2
    assert measured(BYTES, where="spool") == 110
    assert 60 <= measured(OLDEST, where="spool") < 900
    for path in spool.glob("0*"):
        path.unlink()
    assert measured(FILES, where="spool") == 2  # as it was last seen
    tasks.look_at_server()
    for name in (FILES, BYTES, OLDEST):
        assert measured(name, where="spool") == 0


def test_the_newest_copy_that_counts_is_told() -> None:
    """What has no entry does not count, nor does one that says nothing."""
    storage = place.chosen()
    tasks.look_at_server()
    assert measured(COPIED) == 0
    parts = [place.part_of_base(new_id(), part) for part in ("tar", "manifest")]
    for name in (*parts, place.wal(SEGMENT.format(2)), place.base(new_id())):
        with storage.writing(name):
            pass
    tasks.look_at_server()
    assert measured(COPIED) == 0
    key = keys.newest(storage, place.PLATFORM)
    bases.put(storage, replace(WEEKS[0], id=new_id(), key=key.id))
    tasks.look_at_server()
    assert abs(measured(COPIED) - time.time()) < 60


def test_what_the_server_hands_over_is_seen_by_the_backups_log_in() -> None:
    last = server.mark()
    until = now() + timedelta(seconds=30)
    while (found := server.archiver()).archived_at is None and now() < until:
        time.sleep(0.05)
    assert found.archived_at is not None, last
    tasks.look_at_server()
    assert measured(ARCHIVED) >= found.archived_at.timestamp()
    assert abs(measured("bulkhead_wal_looked_at_timestamp_seconds") - time.time()) < 60
    assert found.waiting.size % server.facts().segment_size == 0


def test_where_the_storage_is_away_the_wal_is_seen_all_the_same(
    spool: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> object:
        raise StorageAway

    lay(spool, SEGMENT.format(2), size=1)
    monkeypatch.setattr(Folder, "names", away)
    with pytest.raises(StorageAway):
        tasks.look_at_server()
    assert measured(FILES, where="spool") == 1


def test_a_server_of_somebody_elses_is_not_looked_at(settings: Settings) -> None:
    settings.WAL_SPOOL = ""
    tasks.look_at_server()
    assert standing.seen() is None
    assert list(measures.server()) == []
