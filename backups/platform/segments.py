"""PostgreSQL's WAL by its names: which file holds what. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

_SEGMENT = re.compile(r"[0-9A-F]{24}")
_HISTORY = re.compile(r"[0-9A-F]{8}\.history")
# A segment, the label of a base backup, the torn end of a timeline, or a history.
_ANY = re.compile(r"[0-9A-F]{24}(\.[0-9A-F]{8}\.backup|\.partial)?|[0-9A-F]{8}\.history")


@dataclass(frozen=True, slots=True)
class Segment:
    """One file of WAL; `number` counts them from the beginning of the server."""

    timeline: int
    number: int


def segment(file: str, size: int) -> Segment:
    """By its name, for segments of so many bytes. Raises ValueError for another kind of file."""
    if not _SEGMENT.fullmatch(file):
        raise ValueError(f"{file!r} is no segment of WAL")
    timeline, log, rest = (int(file[start : start + 8], 16) for start in (0, 8, 16))
    return Segment(timeline, log * (2**32 // size) + rest)


def timeline(file: str) -> int:
    """The one that a segment is of, or a history. Raises ValueError for another kind of file."""
    return int(file[:8], 16)


def name(segment: Segment, size: int) -> str:
    """The other way."""
    log, rest = divmod(segment.number, 2**32 // size)
    return f"{segment.timeline:08X}{log:08X}{rest:08X}"


def holding(lsn: str, size: int) -> int:
    """The number of the segment that a place such as `0/2000028` is in."""
    high, low = lsn.split("/")
    return (int(high, 16) << 32 | int(low, 16)) // size


def is_needed(file: str) -> bool:
    """Whether a server that comes back may ask for it: segments, and histories of timelines.

    The label of a base backup, and the torn end of a timeline that another went on from, it never
    asks for.
    """
    return bool(_SEGMENT.fullmatch(file) or _HISTORY.fullmatch(file))


def is_segment(file: str) -> bool:
    return bool(_SEGMENT.fullmatch(file))


def is_named(file: str) -> bool:
    """Whether the server gave a file its name: what is only being copied has another."""
    return bool(_ANY.fullmatch(file))
