"""A copy of all the server's files at one time, as it is told of beside it. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from uuid import UUID

from backups.archive import signing
from backups.archive.errors import NoArchive
from backups.archive.keys import DataKey
from backups.platform import segments
from backups.platform.errors import BaseUnfit, InstantTooEarly, NoBase

_FORMAT = 1
_IDS = ("id", "key")
_MOMENTS = ("began_at", "ended_at")


@dataclass(frozen=True, slots=True)
class Base:
    """`parent` is the one that it holds the changes since; a full one has none.

    `ended_at` is by the server's clock: instants from then on can be reached from here. The WAL is
    needed from `start_lsn` on.
    """

    id: UUID
    parent: UUID | None
    began_at: datetime
    ended_at: datetime
    start_lsn: str
    segment_size: int  # bytes
    system: str  # PostgreSQL's system identifier
    server: int  # its version, as in 180004
    key: UUID
    size: int  # bytes in the storage
    sha256: str

    @property
    def first_segment(self) -> int:
        """The number of the first segment of WAL that it needs."""
        return segments.holding(self.start_lsn, self.segment_size)

    def signed(self, key: DataKey) -> bytes:
        """As a file of JSON."""
        return signing.signed({**asdict(self), "format": _FORMAT}, key)

    @classmethod
    def from_bytes(cls, written: bytes) -> Base:
        """Believed only once its signature has been checked. Raises NoArchive."""
        said = signing.parsed(written)
        try:
            given = {name: said[name] for name in cls.__dataclass_fields__}
            given |= {name: UUID(given[name]) for name in _IDS}
            given |= {name: datetime.fromisoformat(given[name]) for name in _MOMENTS}
            given["parent"] = given["parent"] and UUID(given["parent"])
            return cls(**given)
        except (ValueError, LookupError, TypeError, AttributeError) as fault:
            raise NoArchive("What stands beside a copy of the server says too little.") from fault


def by_end(base: Base) -> tuple[datetime, UUID]:
    """In which order they are told."""
    return base.ended_at, base.id


def newest(bases: Iterable[Base]) -> Base:
    """The last that can be laid out. Raises NoBase, and BaseUnfit where none can."""
    known = list(bases)
    last = max(whole(known) or known, key=by_end, default=None)
    if last is None:
        raise NoBase
    return chain(known, last)[-1]


def nearest(bases: Iterable[Base], at: datetime) -> Base:
    """From which an instant is reached: the last that can be laid out and had ended by then.

    One that ended later would stop where it ended, and say nothing. Raises NoBase, BaseUnfit,
    InstantTooEarly.
    """
    known = list(bases)
    fit = whole(known)
    earlier = [base for base in fit if base.ended_at <= at]
    if fit and not earlier:
        first = min(base.ended_at for base in fit)
        raise InstantTooEarly(f"The first instant that can be reached is {first.isoformat()}.")
    return newest(earlier or known)


def whole(bases: Iterable[Base]) -> list[Base]:
    """Those of which all is there that they stand on."""
    known = list(bases)
    return [base for base in known if _is_whole(base, known)]


def chain(bases: Iterable[Base], last: Base) -> list[Base]:
    """The full one that it stands on, then each with the changes since. Raises BaseUnfit."""
    known = {base.id: base for base in bases}
    found = [last]
    while (parent := found[0].parent) is not None:
        if parent not in known or len(found) > len(known):
            raise BaseUnfit(f"Copy {found[0].id} stands on {parent}, which is not there.")
        found.insert(0, known[parent])
    return found


def _is_whole(base: Base, known: Iterable[Base]) -> bool:
    try:
        chain(known, base)
    except BaseUnfit:
        return False
    return True
