"""A beginning in the clear: what kind of file it is, how long its head is, and the head. Pure."""

from __future__ import annotations

from backups.archive.errors import ArchiveTorn, NoArchive
from backups.archive.streams import Source, read_up_to

_LENGTH = 4  # bytes
_LONGEST = 4_096  # bytes of a head


def framed(magic: bytes, head: bytes) -> bytes:
    """As it stands in the file."""
    return magic + len(head).to_bytes(_LENGTH) + head


def read_framed(source: Source, magic: bytes) -> bytes:
    """The head of a file of that kind. Raises NoArchive, ArchiveTorn."""
    if read_up_to(source, len(magic)) != magic:
        raise NoArchive
    length = int.from_bytes(read_up_to(source, _LENGTH))
    if length > _LONGEST:
        raise NoArchive
    head = read_up_to(source, length)
    if not length or len(head) < length:
        raise ArchiveTorn
    return head
