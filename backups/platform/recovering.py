"""Everything back from the storage and the master key, where nothing else is left."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from backups.platform import bases, belongings, scratch, sealed, unpacking
from backups.platform.base import Base
from backups.platform.errors import AlreadyThere, WalMissing
from backups.platform.feed import Feed
from backups.platform.phases import Phases
from backups.storage import place
from backups.storage.interface import Storage

_DATABASE = "postgres"  # every server has it


@dataclass(frozen=True, slots=True)
class Recovered:
    """Where it is now, and the copy that it began from: the newest that is whole."""

    base: Base
    folder: Path
    unfit: Mapping[str, str]  # entries of others that cannot be read, by name: the codes


def recover(*, phases: Phases) -> Recovered:
    """The database as of the last WAL in the storage, secrets and files, into the data folder.

    Nothing is there before all of it is. Raises AlreadyThere, NoBase, WalMissing, ScratchEnded,
    BaseUnfit, ArchiveUnfit, NoPrograms, WrongBackupKey, and what the storage raises.
    """
    folder, storage = settings.BULKHEAD_DATA_DIR, place.chosen()
    if (folder / scratch.HOME).exists():
        raise AlreadyThere(f"{folder} has a database.")
    known = bases.stored(storage)
    known.tell(phases.report)
    newest = known.newest()
    chain = known.chain(newest)
    with scratch.room() as room:
        unpacking.lay_out(storage, chain, room / scratch.HOME, phases)
        with phases.phase("WAL gone through"):
            _go_through(storage, room, newest)
        name = place.part_of_base(newest.id, bases.BELONGINGS)
        with phases.phase("secrets and files brought"), sealed.reading(storage, name) as source:
            belongings.unpack(source, room, folder)
        (room / scratch.HOME).rename(folder / scratch.HOME)
    shutil.rmtree(folder / "scratch", ignore_errors=True)
    return Recovered(newest, folder, known.unfit)


def _go_through(storage: Storage, room: Path, newest: Base) -> None:
    """To its end, which is not where a part is missing: what comes after that would be lost."""
    feed = Feed(storage, room, segment_size=newest.segment_size)
    with scratch.comes_back(room, feed, until=None, database=_DATABASE, is_safe=True):
        if feed.has_gap():
            raise WalMissing(f"{feed.missing} is not there, and what comes after it is.")
