"""The beginning of an archive, in the clear: whose it is, and which key opens it. Pure.

Nothing is believed of it by itself: the archive's key is derived from these very bytes, so that
the first chunk stays shut if one of them was changed.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from uuid import UUID

from backups.archive.errors import NoArchive, UnknownFormat
from backups.archive.framing import framed, read_framed
from backups.archive.streams import Source

FORMAT = 1
_MAGIC = b"bulkhead archive\n"


@dataclass(frozen=True, slots=True)
class Header:
    """`key` names the tenant's data key, `salt` (hex) makes the archive's own of it."""

    backup: UUID
    tenant: UUID
    key: UUID
    salt: str

    def to_bytes(self) -> bytes:
        """As it stands in the archive."""
        content = {
            "format": FORMAT,
            "backup": str(self.backup),
            "tenant": str(self.tenant),
            "key": str(self.key),
            "salt": self.salt,
        }
        return framed(_MAGIC, json.dumps(content).encode())


def read_header(source: Source) -> Header:
    """Raises NoArchive, ArchiveTorn, UnknownFormat."""
    written = read_framed(source, _MAGIC)
    try:
        content = json.loads(written)
        ids = {name: UUID(content[name]) for name in ("backup", "tenant", "key")}
        found = Header(**ids, salt=str(content["salt"]))
        bytes.fromhex(found.salt)
        known = content["format"]
    except (ValueError, LookupError, TypeError, AttributeError) as fault:
        raise NoArchive from fault
    if known != FORMAT:
        raise UnknownFormat(f"It is of format {known!r}.")
    if found.to_bytes() != framed(_MAGIC, written):
        raise NoArchive("Its header is not as we write it.")
    return found
