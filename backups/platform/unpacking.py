"""Copies of the server out of the storage, as files that a server can be started on."""

from __future__ import annotations

import shutil
import tarfile
from collections.abc import Sequence
from pathlib import Path
from typing import IO, cast

from backups.archive.streams import Source
from backups.platform import bases, manifest, programs, sealed
from backups.platform.base import Base
from backups.platform.errors import BaseUnfit
from backups.storage import place
from backups.storage.interface import Storage


def lay_out(storage: Storage, chain: Sequence[Base], home: Path, *, for_good: bool) -> None:
    """A full copy and those with the changes since, as one; `home` is made.

    Each is checked by what the server said of it. Raises NotStored, ArchiveUnfit, WrongBackupKey,
    BaseUnfit, NoPrograms, OSError.
    """
    copies = [home.with_name(f"copy-{number}") for number in range(len(chain))]
    for base, folder in zip(chain, copies, strict=True):
        folder.mkdir(mode=0o700)
        with sealed.reading(storage, place.part_of_base(base.id, bases.TAR)) as source:
            extract(source, folder)
        if manifest.check(folder).start_lsn != base.start_lsn:
            raise BaseUnfit("It is of another moment than its entry says.")
    if len(copies) == 1:
        copies[0].rename(home)
        return
    how = [] if for_good else ["--no-sync"]
    programs.run("pg_combinebackup", *map(str, copies), f"--output={home}", *how)
    for folder in copies:
        shutil.rmtree(folder)


def extract(source: Source, folder: Path) -> None:
    """A tar of our own; nothing of it comes to lie outside the folder."""
    with tarfile.open(fileobj=cast("IO[bytes]", source), mode="r|") as tar:
        # From 3.11.4 on; before, the seal alone says that it is our own.
        tar.extraction_filter = getattr(tarfile, "data_filter", None)
        tar.extractall(folder)  # noqa: S202 - sealed by us
