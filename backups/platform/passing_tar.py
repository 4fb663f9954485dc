"""One file of a tar that only passes: PostgreSQL writes its manifest as the last of them. Pure."""

from __future__ import annotations

_BLOCK = 512  # bytes
_NAME, _SIZE = slice(0, 100), slice(124, 136)


class Catch:
    """Takes a tar in pieces and keeps the content of the file of this name; all else it forgets.

    Enough for what PostgreSQL writes: names of up to 100 bytes, sizes in octal digits.
    """

    def __init__(self, name: str) -> None:
        self._wanted = name.encode()
        self._head = bytearray()
        self._left = self._padding = 0
        self._is_it = False
        self.content = bytearray()

    def add(self, piece: bytes) -> None:
        """The next piece, of any length."""
        place = 0
        while place < len(piece):
            if self._left:
                taken = piece[place : place + self._left]
                self._left -= len(taken)
                if self._is_it:
                    self.content += taken
            elif self._padding:
                taken = piece[place : place + self._padding]
                self._padding -= len(taken)
            else:
                taken = piece[place : place + _BLOCK - len(self._head)]
                self._head += taken
                self._begin()
            place += len(taken)

    def _begin(self) -> None:
        """The file whose head is whole now; a block of zeros is the end, and none."""
        if len(self._head) < _BLOCK:
            return
        digits = bytes(self._head[_SIZE]).strip(b"\0 ")
        self._left = int(digits, 8) if digits else 0
        self._padding = -self._left % _BLOCK
        self._is_it = bytes(self._head[_NAME]).rstrip(b"\0") == self._wanted
        self._head.clear()
