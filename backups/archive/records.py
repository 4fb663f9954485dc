"""The clear stream inside an archive: records of a kind, a length and a content. Pure."""

from __future__ import annotations

import json
from enum import Enum
from typing import Any

from backups.archive.errors import ArchiveTorn, NoArchive
from backups.archive.streams import Sink, Source, read_up_to

BLOCK = 65_536  # bytes of rows in a record, at most
_LENGTH = 4  # bytes
_LONGEST = 256 * 1024 * 1024  # of any record: a manifest that names a million people


class Kind(Enum):
    TABLE = b"T"
    ROWS = b"D"
    MANIFEST = b"M"


def write(sink: Sink, kind: Kind, content: bytes) -> None:
    sink.write(kind.value + len(content).to_bytes(_LENGTH) + content)


def read(source: Source) -> tuple[Kind, bytes]:
    """The next one. Raises ArchiveTorn, NoArchive."""
    begins = read_up_to(source, 1 + _LENGTH)
    if len(begins) < 1 + _LENGTH:
        raise ArchiveTorn
    length = int.from_bytes(begins[1:])
    try:
        kind = Kind(begins[:1])
    except ValueError as fault:
        raise NoArchive from fault
    if length > _LONGEST:
        raise NoArchive
    content = read_up_to(source, length)
    if len(content) < length:
        raise ArchiveTorn
    return kind, content


def parsed(content: bytes) -> Any:
    """What is written as JSON. Raises NoArchive."""
    try:
        return json.loads(content)
    except ValueError as fault:
        raise NoArchive from fault
