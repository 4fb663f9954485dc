"""Copies of the server's files as the storage knows them: what counts is what has its entry."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import PurePosixPath
from uuid import UUID

from backups import keys
from backups.archive import signing
from backups.archive.errors import ArchiveUnfit, ForeignArchive
from backups.archive.streams import read_up_to
from backups.errors import WrongBackupKey
from backups.platform import base
from backups.platform.base import Base
from backups.platform.errors import BaseUnfit, InstantTooEarly, NoBase
from backups.storage import place
from backups.storage.errors import NotStored
from backups.storage.interface import Storage
from tenants.identifiers import made_at

_LONGEST = 65_536  # bytes of an entry
_log = logging.getLogger("bulkhead.backups")
TAR, MANIFEST, BELONGINGS = "tar", "manifest", "belongings"
_PARTS = (TAR, MANIFEST, BELONGINGS)


@dataclass(frozen=True, slots=True)
class Stored:
    """Those whose entry is as it was written, oldest first; and by its name what is wrong with each
    other entry. The others go on without those, and whatever fails for one of them names it."""

    bases: tuple[Base, ...]
    faults: Mapping[str, ArchiveUnfit | WrongBackupKey]

    @property
    def unfit(self) -> dict[str, str]:
        """The code of each, by its name."""
        return {name: fault.code for name, fault in self.faults.items()}

    def of(self, system: str) -> Stored:
        """A server's own: what another has left here leads nowhere for it."""
        return replace(self, bases=tuple(each for each in self.bases if each.system == system))

    def newest(self) -> Base:
        """Raises NoBase, BaseUnfit; ArchiveUnfit or WrongBackupKey where no entry can be read."""
        with self._named():
            return base.newest(self.bases)

    def nearest(self, at: datetime) -> Base:
        """As `base.nearest`. Raises InstantTooEarly, and as `newest`."""
        with self._named():
            return base.nearest(self.bases, at)

    def chain(self, last: Base) -> list[Base]:
        """As `base.chain`. Raises BaseUnfit."""
        with self._named():
            return base.chain(self.bases, last)

    def tell(self, report: Callable[[str], None]) -> None:
        """What cannot be read."""
        for name, code in self.unfit.items():
            report(f"{name} cannot be read: {code}")

    @contextmanager
    def _named(self) -> Iterator[None]:
        try:
            yield
        except (NoBase, BaseUnfit, InstantTooEarly) as fault:
            if not self.faults:
                raise
            kind = type(fault) if self.bases else type(self.faults[max(self.faults)])
            told = ", ".join(f"{name} ({code})" for name, code in self.unfit.items())
            raise kind(f"{fault.detail} What cannot be read: {told}.") from fault


def stored(storage: Storage) -> Stored:
    """All that count. Raises BackupKeysMissing, and what the storage raises."""
    found: list[Base] = []
    faults: dict[str, ArchiveUnfit | WrongBackupKey] = {}
    for name in storage.names(place.bases()):
        if name.endswith(place.BASE):
            try:
                found.append(_read(storage, name))
            except NotStored:
                continue  # it was taken away since its name was told
            except (ArchiveUnfit, WrongBackupKey) as fault:
                faults[name] = fault
                _log.error("%s cannot be read: %s", name, fault.code)
    return Stored(tuple(sorted(found, key=base.by_end)), faults)


def put(storage: Storage, taken: Base) -> None:
    """The entry, last of all."""
    with storage.writing(place.base(taken.id)) as sink:
        sink.write(taken.signed(keys.of(storage, place.PLATFORM, taken.key)))


def remove(storage: Storage, surplus: Base) -> None:
    """The entry first: what has none does not count. Twice is no error."""
    storage.remove(place.base(surplus.id))
    for part in _PARTS:
        storage.remove(place.part_of_base(surplus.id, part))


def broken_off(storage: Storage, *, before: datetime) -> list[str]:
    """The names of parts of copies that were begun before then and have no entry."""
    names = list(storage.names(place.bases()))
    counted = {name.removesuffix(place.BASE) for name in names if name.endswith(place.BASE)}
    return [
        name for name in names if name.rpartition(".")[0] not in counted and _begun(name) < before
    ]


def _begun(name: str) -> datetime:
    return made_at(UUID(PurePosixPath(name).stem))


def _read(storage: Storage, name: str) -> Base:
    with storage.reading(name) as source:
        written = read_up_to(source, _LONGEST)
    found = Base.from_bytes(written)
    signing.check(written, keys.of(storage, place.PLATFORM, found.key))
    if name != place.base(found.id):
        raise ForeignArchive
    return found
