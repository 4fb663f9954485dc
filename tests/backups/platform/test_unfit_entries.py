"""Entries of copies that were altered or torn: the others go on, and those are named."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from pytest_django.fixtures import Settings

from backups import keys, tasks
from backups.archive.errors import ArchiveAltered
from backups.errors import WrongBackupKey
from backups.platform import actions, bases, retention, segments, standing
from backups.platform.actions import Pruned
from backups.platform.base import Base
from backups.platform.errors import BaseUnfit, InstantTooEarly, NoBase
from backups.platform.segments import Segment
from backups.storage import place
from backups.storage.interface import Storage
from tenants.identifiers import made_at, new_id
from tests.backups.keepers import BY
from tests.backups.platform.platforms import away, spoiled, torn
from tests.backups.platform.test_choice import NOW, SIZE, WEEKS
from tests.backups.platform.test_standing import measured
from tests.backups.test_commands import run

Spoil = Callable[[str], AbstractContextManager[None]]
DAYS = 8  # a full one and two with changes are from before; of these the last leads to the oldest


@pytest.fixture(autouse=True)
def storage(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Storage:
    """With two weeks of copies, and WAL from the first on."""
    settings.BACKUP_STORAGE = f"file://{tmp_path}/archives"
    settings.PLATFORM_BACKUP_DAYS = DAYS
    settings.WAL_SPOOL = str(tmp_path)
    monkeypatch.setattr(standing, "_KEY", f"standing-{uuid4()}")
    storage = place.chosen()
    for base in WEEKS:
        keep(storage, base)
    for number in range(1, 8):
        with storage.writing(place.wal(segments.name(Segment(1, number), SIZE))):
            pass
    return storage


def keep(storage: Storage, base: Base) -> Base:
    """Signed as if it had just been taken."""
    kept = replace(base, key=keys.newest(storage, place.PLATFORM).id)
    bases.put(storage, kept)
    return kept


def entry(number: int) -> str:
    return place.base(WEEKS[number - 1].id)


def numbers(found: bases.Stored) -> list[int]:
    return [base.id.int for base in found.bases]


def prune(*, days_later: float = 0) -> Pruned:
    return actions.prune(now=NOW + timedelta(days=days_later), by=BY.name)


@pytest.mark.parametrize(
    ("spoil", "code"), [(spoiled, "archive_altered"), (torn, "no_archive")], ids=["altered", "torn"]
)
@pytest.mark.parametrize("number", [1, 6])
def test_one_that_cannot_be_read_is_named_and_the_others_are_there(
    storage: Storage, number: int, spoil: Spoil, code: str, caplog: pytest.LogCaptureFixture
) -> None:
    with spoil(entry(number)), caplog.at_level(logging.ERROR, "bulkhead.backups"):
        found = bases.stored(storage)
        told = run("prune_backups", "--dry-run")
    assert numbers(found) == [each for each in range(1, 7) if each != number]
    assert found.unfit == told["unfit"] == {entry(number): code}
    assert f"{entry(number)} cannot be read: {code}" in caplog.text
    assert bases.stored(storage).unfit == {}


def test_one_of_another_key_or_in_anothers_place_is_named(storage: Storage) -> None:
    stranger = keep(storage, replace(WEEKS[0], id=new_id()))
    with storage.reading(place.base(stranger.id)) as source:
        written = source.read(65_536)
    with storage.writing(entry(3)) as sink:
        sink.write(written)
    other = keys.make(storage, place.PLATFORM)
    bases.put(storage, replace(WEEKS[3], key=other.id))
    with away(place.key(place.PLATFORM, other.id)):
        found = bases.stored(storage)
    assert found.unfit == {entry(3): "foreign_archive", entry(4): "wrong_backup_key"}


def test_what_an_instant_needs_is_found_without_it(storage: Storage) -> None:
    at = WEEKS[5].ended_at
    with spoiled(entry(6)):
        found = bases.stored(storage)
        assert found.nearest(at).id.int == found.newest().id.int == 5
    with spoiled(entry(4)):  # on which 5 and 6 stand
        found = bases.stored(storage)
        assert found.nearest(at).id.int == found.newest().id.int == 3
        with pytest.raises(BaseUnfit, match=f"{entry(4)} .archive_altered"):
            found.chain(found.bases[-1])
    with spoiled(entry(1)), pytest.raises(InstantTooEarly, match=entry(1)):
        bases.stored(storage).nearest(WEEKS[2].ended_at)


def test_where_none_is_whole_the_files_are_named(storage: Storage) -> None:
    with spoiled(entry(1)), spoiled(entry(4)):
        found = bases.stored(storage)
        for choose in (found.newest, lambda: found.nearest(NOW)):
            with pytest.raises(BaseUnfit, match=f"{entry(1)} .*{entry(4)} "):
                choose()
    for base in WEEKS[1:]:
        bases.remove(storage, base)
    with spoiled(entry(1)), pytest.raises(ArchiveAltered, match=entry(1)):
        bases.stored(storage).newest()


def test_a_master_key_that_fits_none_is_said_as_such(storage: Storage, settings: Settings) -> None:
    settings.BACKUP_KEYS = ["33" * 32]
    with pytest.raises(WrongBackupKey):
        bases.stored(storage).newest()


def test_what_another_server_left_there_is_not_gone_on_from(storage: Storage) -> None:
    theirs = keep(storage, replace(WEEKS[0], id=new_id(), system="8", ended_at=NOW))
    found = bases.stored(storage)
    assert found.newest() == theirs
    assert found.of("7").newest().id == WEEKS[5].id
    assert found.of("7").nearest(NOW).id == WEEKS[5].id
    with pytest.raises(NoBase):
        found.of("9").newest()


def test_pruning_goes_on_beside_one_that_it_cannot_read(storage: Storage) -> None:
    """With 5 from before the oldest instant, 1 is needed no more, and neither is 2; but 1 stays."""
    with spoiled(entry(1)):
        gone = prune(days_later=DAYS - 4)
        assert [base.id.int for base in gone.bases] == [2, 3]
        assert gone.unfit == {entry(1): "archive_altered"}
        assert gone.wal == 3
        assert numbers(bases.stored(storage)) == [4, 5, 6]
    assert numbers(bases.stored(storage)) == [1, 4, 5, 6]


@pytest.mark.parametrize(
    ("number", "days_later"),
    [
        (1, 0),  # on which 2 and 3 stand, and nothing else is older than the oldest instant
        (3, 0),
        (4, DAYS - 1),  # on which 5 and 6 stand
        (6, DAYS),
    ],
)
def test_nothing_goes_that_one_may_need_that_cannot_be_read(
    storage: Storage, number: int, days_later: float
) -> None:
    at = NOW + timedelta(days=days_later)
    with spoiled(entry(number)):
        prune(days_later=days_later)
    assert entry(number) in set(storage.names(place.bases()))
    left = bases.stored(storage)
    oldest = retention.oldest(WEEKS, days=DAYS, now=at)
    assert oldest is not None
    chain = left.chain(next(base for base in left.bases if base.id == oldest.id))
    wal = [segments.segment(Path(n).stem.upper(), SIZE).number for n in storage.names(place.wals())]
    assert min(wal) <= chain[-1].first_segment
    assert chain[0].parent is None


def test_where_none_can_be_read_nothing_goes(storage: Storage) -> None:
    names = set(storage.names(""))
    other = keys.make(storage, place.PLATFORM)
    for base in WEEKS:
        bases.put(storage, replace(base, key=other.id))
    with away(place.key(place.PLATFORM, other.id)):
        gone = prune(days_later=400)
    assert (gone.bases, gone.wal, len(gone.unfit)) == ((), 0, len(WEEKS))
    assert names <= set(storage.names(""))


def test_it_is_measured_until_it_is_as_it_was(storage: Storage) -> None:
    first, second = (keep(storage, replace(WEEKS[0], id=new_id())) for _ in range(2))
    with spoiled(place.base(second.id)):
        tasks.look_at_server()
        seen = standing.seen()
        assert seen is not None
        assert seen.unfit == {place.base(second.id): "archive_altered"}
        assert measured("bulkhead_server_copies_unfit") == 1
        assert seen.copied_at == made_at(first.id)
    tasks.look_at_server()
    assert measured("bulkhead_server_copies_unfit") == 0
    assert measured("bulkhead_server_copied_timestamp_seconds") == made_at(second.id).timestamp()
