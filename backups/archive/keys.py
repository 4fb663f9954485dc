"""The keys that a tenant's data key turns into. Pure.

Each archive has its own, made of a salt and all that its header says: what is under it can be taken
for nothing else. Nonces may therefore begin at 0 in each.
"""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass, field
from uuid import UUID

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from backups.archive.header import Header

SIZE = 32  # bytes, of every key here
_ARCHIVE, _ENTRY = b"bulkhead archive 1|", b"bulkhead entry 1"
_FILE = b"bulkhead file 1|"


@dataclass(frozen=True, slots=True)
class DataKey:
    """A tenant's: under it are all archives made while it was the newest."""

    id: UUID
    secret: bytes = field(repr=False)

    def of_archive(self, header: Header) -> bytes:
        """For the chunks of this one archive."""
        return self._derived(bytes.fromhex(header.salt), _ARCHIVE + header.to_bytes())

    def of_file(self, salt: str, head: bytes) -> bytes:
        """For the chunks of one file that is no archive of a tenant; `head` says which."""
        return self._derived(bytes.fromhex(salt), _FILE + head)

    def sign(self, message: bytes) -> bytes:
        """What nobody without the key could have said of an archive."""
        return hmac.digest(self._derived(b"", _ENTRY), message, "sha256")

    def _derived(self, salt: bytes, info: bytes) -> bytes:
        return HKDF(algorithm=SHA256(), length=SIZE, salt=salt or None, info=info).derive(
            self.secret
        )


@dataclass(frozen=True, slots=True)
class LentKey:
    """One archive's own, without the data key that it is made of: it opens no other."""

    secret: bytes = field(repr=False)

    def of_archive(self, header: Header) -> bytes:
        """Another archive stays shut: what its chunks are sealed with hangs on its header."""
        return self.secret


def new_secret() -> bytes:
    return secrets.token_bytes(SIZE)


def new_salt() -> str:
    """In hex."""
    return secrets.token_hex(SIZE)
