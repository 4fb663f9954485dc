"""A stream in sealed chunks, none of which can be changed, swapped, left out or added. Pure.

AES-256-GCM over 64 KiB at a time. The nonce is the chunk's number and whether it is the last: so a
chunk opens in its own place only, and an end that is not the end is seen. (The construction is
STREAM: Hoang, Reyhanitabar, Rogaway and Vizár, "Online Authenticated-Encryption and its
Nonce-Reuse Misuse-Resistance", 2015.)
"""

from __future__ import annotations

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from backups.archive.errors import ArchiveAltered, ArchiveTorn
from backups.archive.streams import Sink, Source, read_up_to

CHUNK = 65_536  # bytes in the clear
_TAG = 16
_COUNTER = 11  # bytes of the nonce's 12; the last one says whether it is the end


class Sealer:
    """Takes any number of bytes, and hands whole sealed chunks to the sink."""

    def __init__(self, sink: Sink, key: bytes) -> None:
        self._sink, self._box = sink, AESGCM(key)
        self._number = 0
        self._waiting = bytearray()  # never more than a chunk between two calls

    def write(self, data: bytes | memoryview, /) -> int:
        """Something is always kept back: the last chunk must be known to be it."""
        given = memoryview(data)
        for start in range(0, len(given), CHUNK):
            self._waiting += given[start : start + CHUNK]
            if len(self._waiting) > CHUNK:
                self._emit(bytes(self._waiting[:CHUNK]), is_last=False)
                del self._waiting[:CHUNK]
        return len(given)

    def flush(self, *_: object) -> None:
        """A chunk goes when it is full."""

    def close(self) -> None:
        """Seal what is left, as the end."""
        self._emit(bytes(self._waiting), is_last=True)

    def _emit(self, piece: bytes, *, is_last: bool) -> None:
        self._sink.write(self._box.encrypt(_nonce(self._number, is_last=is_last), piece, None))
        self._number += 1


class Opener:
    """Gives what was sealed. Raises ArchiveTorn or ArchiveAltered before a byte that is not."""

    def __init__(self, source: Source, key: bytes) -> None:
        self._source, self._box = source, AESGCM(key)
        self._number = 0
        self._ahead = read_up_to(source, CHUNK + _TAG)
        self._open = b""
        self._is_done = False

    def read(self, size: int, /) -> bytes:
        """Up to so many bytes; none at the end."""
        while not self._open and not self._is_done:
            self._open = self._next()
        given, self._open = self._open[:size], self._open[size:]
        return given

    def _next(self) -> bytes:
        sealed, self._ahead = self._ahead, read_up_to(self._source, CHUNK + _TAG)
        self._is_done = not self._ahead
        piece = self._opened(sealed, is_last=self._is_done)
        if piece is None:
            cut_short = self._is_done and self._opened(sealed, is_last=False) is not None
            raise ArchiveTorn if cut_short or len(sealed) < _TAG else ArchiveAltered
        self._number += 1
        return piece

    def _opened(self, sealed: bytes, *, is_last: bool) -> bytes | None:
        try:
            return self._box.decrypt(_nonce(self._number, is_last=is_last), sealed, None)
        except (InvalidTag, ValueError):
            return None


def _nonce(number: int, *, is_last: bool) -> bytes:
    return number.to_bytes(_COUNTER) + bytes([is_last])
