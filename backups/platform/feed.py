"""WAL for a server that comes back, file by file as it asks: so only what it needs is unsealed.

The server has no keys. Its `restore_command` lays down a file with the name of what it wants, and
waits until that is gone.
"""

from __future__ import annotations

import shlex
from pathlib import Path

from backups.platform import segments, wal
from backups.storage import place
from backups.storage.errors import NotStored
from backups.storage.interface import Storage

# Longer than any of them takes to come; it ends, should nobody be left to bring it.
_WAITS = 6_000  # times 0.02 s
_COMMAND = (
    "touch {wanted}/%f && n=0 && while test -e {wanted}/%f && test $n -lt {waits};"
    " do sleep 0.02; n=$((n+1)); done && cp {ready}/%f %p && rm {ready}/%f"
)


class Feed:
    """Of one server; `missing` is the last segment that it wanted and nobody has."""

    def __init__(self, storage: Storage, room: Path, *, segment_size: int) -> None:
        self._storage, self._size = storage, segment_size
        self._wanted, self._ready = room / "wanted", room / "ready"
        self.missing = ""
        for folder in (self._wanted, self._ready):
            folder.mkdir(mode=0o700)

    @property
    def command(self) -> str:
        """For `restore_command`."""
        places = {"wanted": self._wanted, "ready": self._ready}
        quoted = {k: shlex.quote(str(v)).replace("%", "%%") for k, v in places.items()}
        return _COMMAND.format(waits=_WAITS, **quoted)

    def answer(self) -> None:
        """Bring what it wants now. Raises ArchiveUnfit, WrongBackupKey, OSError."""
        for wanted in list(self._wanted.iterdir()):
            self._bring(wanted.name)
            wanted.unlink()

    def has_gap(self) -> bool:
        """Whether there is WAL after what is missing, which therefore leads nowhere."""
        if not self.missing:
            return False
        lost = segments.segment(self.missing, self._size)
        files = (Path(name).stem.upper() for name in self._storage.names(place.wals()))
        known = [segments.segment(file, self._size) for file in files if segments.is_segment(file)]
        return any(each.number > lost.number for each in known if each.timeline >= lost.timeline)

    def _bring(self, file: str) -> None:
        part = self._ready / f"{file}.part"
        try:
            with part.open("wb") as sink:
                wal.fetch(self._storage, file, sink.write)
        except NotStored:
            part.unlink()
            if segments.is_segment(file):
                self.missing = file
            return
        part.chmod(0o644)  # for the server's user, in a folder of its own
        part.rename(self._ready / file)
