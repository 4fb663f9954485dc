"""Archives in a folder of this machine, or of a disk that it has mounted."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

from backups.archive.streams import Sink, Source
from backups.storage import names
from backups.storage.errors import NotStored

_UNFINISHED = ".part"


class Folder:
    """Private to its user. What is not finished has a name of its own, beside."""

    def __init__(self, root: Path) -> None:
        self._root = root

    @contextmanager
    def writing(self, name: str) -> Iterator[Sink]:
        """On the disk, and only then of that name."""
        path = self._path(name)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        part = path.with_name(f"{path.name}.{secrets.token_hex(8)}{_UNFINISHED}")
        try:
            handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "wb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            part.replace(path)
        except BaseException:
            part.unlink(missing_ok=True)
            raise
        _note_on_disk(path.parent)

    @contextmanager
    def reading(self, name: str, *, start: int = 0) -> Iterator[Source]:
        """Raises NotStored."""
        try:
            file = self._path(name).open("rb")
        except FileNotFoundError as fault:
            raise NotStored from fault
        with file:
            if start and os.fstat(file.fileno()).st_size <= start:
                raise NotStored
            file.seek(start)
            yield file

    def names(self, prefix: str) -> Iterator[str]:
        begins = self._root / prefix.rpartition("/")[0]
        found = (path for path in begins.rglob("*") if path.is_file())
        known = (path.relative_to(self._root).as_posix() for path in found)
        yield from sorted(n for n in known if n.startswith(prefix) and not n.endswith(_UNFINISHED))

    def remove(self, name: str) -> None:
        """Twice is no error."""
        self._path(name).unlink(missing_ok=True)

    def sweep(self, *, before: datetime) -> int:
        swept = 0
        for path in self._root.rglob(f"*{_UNFINISHED}"):
            with suppress(FileNotFoundError):  # finished meanwhile, or swept by another
                if path.stat().st_mtime < before.timestamp():
                    path.unlink()
                    swept += 1
        return swept

    def _path(self, name: str) -> Path:
        return self._root / names.checked(name)


def _note_on_disk(folder: Path) -> None:
    """A renamed file is there after a power cut once its folder has been written."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
