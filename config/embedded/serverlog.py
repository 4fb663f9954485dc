"""The log file of one server, and what it said since its last start."""

from pathlib import Path
from typing import BinaryIO

_MAX_BYTES = 10_000_000
_LAST_LINES = 8


class ServerLog:
    """A file that is appended to, set aside at a start when it has grown too long."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._start = 0

    def open(self) -> BinaryIO:
        """Open for a new start of the server."""
        if self.path.exists() and self.path.stat().st_size > _MAX_BYTES:
            self.path.replace(self.path.with_suffix(".log.1"))
        file = self.path.open("ab")
        self._start = file.tell()
        return file

    def last_words(self) -> str:
        """The last lines written since the server was started."""
        with self.path.open("rb") as file:
            file.seek(self._start)
            return "\n".join(file.read().decode(errors="replace").splitlines()[-_LAST_LINES:])
