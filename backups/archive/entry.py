"""What stands beside an archive, in the clear and signed: the catalogue for when the database is
gone. An archive without one does not count. Pure."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from backups.archive import signing
from backups.archive.errors import NoArchive
from backups.archive.header import FORMAT
from backups.archive.keys import DataKey


@dataclass(frozen=True, slots=True)
class Entry:
    """Of one archive. `size` (bytes) and `sha256` (hex) are the whole file's."""

    backup: UUID
    tenant: UUID
    slug: str
    reason: str
    taken_at: datetime
    key: UUID
    rows: int
    size: int
    sha256: str

    def signed(self, key: DataKey) -> bytes:
        """As a file of JSON."""
        return signing.signed({**asdict(self), "format": FORMAT}, key)

    def facts(self) -> dict[str, Any]:
        """What the archive holds, by the names that the catalogue in the database has too."""
        return {name: getattr(self, name) for name in ("taken_at", "rows", "size", "sha256")}

    @classmethod
    def from_bytes(cls, written: bytes) -> Entry:
        """Believed only once `check` has passed. Raises NoArchive."""
        said = signing.parsed(written)
        names = cls.__dataclass_fields__
        try:
            given = {name: said[name] for name in names}
            ids = {name: UUID(given[name]) for name in ("backup", "tenant", "key")}
            return cls(**{**given, **ids, "taken_at": datetime.fromisoformat(given["taken_at"])})
        except (ValueError, LookupError, TypeError, AttributeError) as fault:
            raise NoArchive("What stands beside it says too little.") from fault


def check(written: bytes, key: DataKey) -> None:
    """That this key signed it. Raises ArchiveAltered, NoArchive."""
    signing.check(written, key)
