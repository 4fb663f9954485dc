"""What stands beside an archive, in the clear and signed: the catalogue for when the database is
gone. An archive without one does not count. Pure."""

from __future__ import annotations

import hmac
import json
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from backups.archive.errors import ArchiveAltered, NoArchive
from backups.archive.header import FORMAT
from backups.archive.keys import DataKey

_SIGNATURE = "signature"


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
        said = {**_plain(self), "format": FORMAT}
        return json.dumps({**said, _SIGNATURE: key.sign(_canonical(said)).hex()}, indent=1).encode()

    @classmethod
    def from_bytes(cls, written: bytes) -> Entry:
        """Believed only once `check` has passed. Raises NoArchive."""
        said = _parsed(written)
        names = cls.__dataclass_fields__
        try:
            given = {name: said[name] for name in names}
            ids = {name: UUID(given[name]) for name in ("backup", "tenant", "key")}
            return cls(**{**given, **ids, "taken_at": datetime.fromisoformat(given["taken_at"])})
        except (ValueError, LookupError, TypeError, AttributeError) as fault:
            raise NoArchive("What stands beside it says too little.") from fault


def check(written: bytes, key: DataKey) -> None:
    """That this key signed it. Raises ArchiveAltered, NoArchive."""
    said = _parsed(written)
    signature = str(said.pop(_SIGNATURE, ""))
    if not hmac.compare_digest(signature.encode(), key.sign(_canonical(said)).hex().encode()):
        raise ArchiveAltered("What stands beside it was changed.")


def _parsed(written: bytes) -> dict[str, Any]:
    try:
        said = json.loads(written)
    except ValueError as fault:
        raise NoArchive from fault
    if not isinstance(said, dict):
        raise NoArchive
    return said


def _plain(entry: Entry) -> dict[str, Any]:
    said = {**asdict(entry), "taken_at": entry.taken_at.isoformat()}
    return {name: str(value) if isinstance(value, UUID) else value for name, value in said.items()}


def _canonical(said: dict[str, Any]) -> bytes:
    return json.dumps(said, sort_keys=True, separators=(",", ":")).encode()
