"""All of the server's files on their way into the storage, by `pg_basebackup`, in constant memory.

The server itself waits at the end until the WAL of meanwhile was handed over, without which the
copy would be of no use.
"""

from __future__ import annotations

import os
import select
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, cast

from backups import keys
from backups.platform import bases, belongings, manifest, programs, sealed, server
from backups.platform.base import Base
from backups.platform.errors import BaseNotTaken, WalNotArchived
from backups.platform.passing_tar import Catch
from backups.storage import place
from backups.storage.interface import Storage
from tenants.identifiers import new_id

_PIECE = 1 << 18  # bytes
_STANDS_STILL = 300.0  # seconds without a byte: for a checkpoint, for summaries, for the archiver
_ASKED = (
    "--pgdata=-",
    "--format=tar",
    "--wal-method=none",
    "--checkpoint=fast",
    "--manifest-checksums=SHA256",
    "--no-password",
)


def take(storage: Storage, *, parent: Base | None) -> Base:
    """A copy of all, or of what has changed since `parent`; counts once its entry is there.

    Raises BaseNotTaken, WalNotArchived, NoPrograms, NoBackupLogIn, BackupKeysMissing, or what the
    storage raises.
    """
    base_id, before = new_id(), server.facts()
    if parent and not before.is_summarizing:
        raise BaseNotTaken("The server does not note what changes: set summarize_wal, from 17 on.")
    with sealed.writing(storage, place.part_of_base(base_id, bases.TAR)) as sink:
        caught = _copy(sink, _since(storage, parent))
    found = manifest.parsed(caught)
    with sealed.writing(storage, place.part_of_base(base_id, bases.MANIFEST)) as beside:
        beside.write(caught)
    with sealed.writing(storage, place.part_of_base(base_id, bases.BELONGINGS)) as beside:
        belongings.pack(beside)
    base = Base(
        id=base_id,
        parent=parent.id if parent else None,
        began_at=before.at,
        ended_at=server.facts().at,
        start_lsn=found.start_lsn,
        segment_size=before.segment_size,
        system=before.system,
        server=before.version,
        key=keys.newest(storage, place.PLATFORM).id,
        size=sink.size,
        sha256=sink.sha256,
    )
    bases.put(storage, base)
    return base


def _since(storage: Storage, parent: Base | None) -> bytes | None:
    """The manifest by which the server knows what has changed."""
    if parent is None:
        return None
    return sealed.content(storage, place.part_of_base(parent.id, bases.MANIFEST))


def _copy(sink: sealed.Sealing, since: bytes | None) -> bytes:
    """Gives the manifest, which comes at the end."""
    catch = Catch(manifest.NAME)
    with tempfile.NamedTemporaryFile(prefix="bulkhead-") as known, _running(known, since) as copier:
        while piece := _next(cast("IO[bytes]", copier.stdout)):
            sink.write(piece)
            catch.add(piece)
    return bytes(catch.content)


@contextmanager
def _running(known: IO[bytes], since: bytes | None) -> Iterator[subprocess.Popen[bytes]]:
    """The program; raises BaseNotTaken where it fails, and ends it where we do."""
    where, password = server.log_in()
    command = [programs.path("pg_basebackup"), f"--dbname={where}", *_ASKED]
    if since is not None:
        known.write(since)
        known.flush()
        command.append(f"--incremental={known.name}")
    with (
        tempfile.TemporaryFile(prefix="bulkhead-") as said,
        subprocess.Popen(  # noqa: S603 - PostgreSQL's own
            command,
            env=programs.environment(PGPASSWORD=password),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=said,
        ) as copier,
    ):
        try:
            yield copier
            status = copier.wait()
        finally:
            copier.kill()
        if status:
            said.seek(0)
            raise BaseNotTaken(programs.last_words(said.read().decode(errors="replace")))


def _next(pipe: IO[bytes]) -> bytes:
    ready, _, _ = select.select([pipe], [], [], _STANDS_STILL)
    if not ready:
        raise WalNotArchived(
            f"Nothing has come for {_STANDS_STILL:.0f} s: the server's log tells what it waits for."
        )
    return os.read(pipe.fileno(), _PIECE)
