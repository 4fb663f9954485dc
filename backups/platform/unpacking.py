"""Copies of the server out of the storage, as files that a server can be started on."""

from __future__ import annotations

import os
import re
import shutil
import tarfile
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import IO, cast

from backups.archive.streams import Source
from backups.platform import bases, manifest, programs, sealed
from backups.platform.base import Base
from backups.platform.errors import BaseUnfit
from backups.platform.phases import Phases
from backups.storage import place
from backups.storage.interface import Storage

_LINKS_SINCE = 180000  # the release whose pg_combinebackup need not write what has not changed
# Which pages of a table everybody may see all of: a part of the files, which may always lack.
_VISIBLE = re.compile(r"[0-9]+_vm(\.[0-9]+)?")


def lay_out(storage: Storage, chain: Sequence[Base], home: Path, phases: Phases) -> None:
    """A full copy and those with the changes since, as one; `home` is made. A server that is not
    told otherwise brings it to the disk when it starts.

    Each is checked by what the server said of it. Raises NotStored, ArchiveUnfit, WrongBackupKey,
    BaseUnfit, NoPrograms, OSError.
    """
    copies = [home.with_name(f"copy-{number}") for number in range(len(chain))]
    with phases.phase("copy brought"):
        for base, folder in zip(chain, copies, strict=True):
            _bring(storage, base, folder)
    if len(copies) == 1:
        copies[0].rename(home)
        return
    with phases.phase("copies combined"):
        how = ["--no-manifest", "--no-sync"]
        if chain[-1].server >= _LINKS_SINCE:
            how.append("--link")
        programs.run("pg_combinebackup", *map(str, copies), f"--output={home}", *how)
        for folder in copies:
            shutil.rmtree(folder)
        _forget_visible(home)


def _forget_visible(home: Path) -> None:
    """Have the server look at each row again until it has vacuumed.

    Not all of what happens to these maps stands in WAL by its page, and what does not is missing in
    a copy of changes (up to 18.4 that is every deletion): rows that were gone would be counted.
    """
    for path in home.rglob("*_vm*"):
        if _VISIBLE.fullmatch(path.name):
            path.unlink()


def extract(source: Source, folder: Path) -> None:
    """A tar of our own: files and folders, for their user alone. Raises BaseUnfit for what else
    there is, or what would come to lie outside."""
    with tarfile.open(fileobj=cast("IO[bytes]", source), mode="r|") as tar:
        for each in tar:
            name = PurePosixPath(each.name)
            content = tar.extractfile(each) if each.isfile() else None
            if name.is_absolute() or ".." in name.parts or not (content or each.isdir()):
                raise BaseUnfit(f"{each.name!r} is not what a server's file is called.")
            if content is None:
                (folder / name).mkdir(mode=0o700, parents=True, exist_ok=True)
            else:
                _write(folder / name, content)


def _bring(storage: Storage, base: Base, folder: Path) -> None:
    folder.mkdir(mode=0o700)
    with sealed.reading(storage, place.part_of_base(base.id, bases.TAR)) as source:
        extract(source, folder)
    if manifest.check(folder).start_lsn != base.start_lsn:
        raise BaseUnfit("It is of another moment than its entry says.")


def _write(path: Path, content: IO[bytes]) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        shutil.copyfileobj(content, file)
