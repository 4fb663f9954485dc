"""A tenant's rows on their way from the database to the storage, in constant memory."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from backups import keys, snapshot
from backups.archive import keys as derived
from backups.archive.entry import Entry
from backups.archive.header import Header
from backups.archive.keys import DataKey
from backups.archive.manifest import Manifest
from backups.archive.streams import Measured
from backups.archive.writing import ArchiveWriter
from backups.errors import RowsMissing
from backups.snapshot import Instant, Snapshot
from backups.storage import place
from backups.storage.interface import Storage

# What a tenant has that no archive of ours holds, and why.
LEFT_OUT = {
    "people": "they are the platform's; id and email are named, so that rows keep their owners",
    "sessions, tokens, keys, invitations": "what was ended or revoked would come back to life",
    "market data": "the same for all",
    "files": "they are not rows",
}


def take(
    storage: Storage,
    *,
    backup_id: UUID,
    tenant_id: UUID,
    reason: str,
    check: Callable[[], None],
    instant: Instant | None = None,
) -> Entry:
    """Write the archive, of now or of an instant, and then what makes it count: its entry.

    Before that `check` says, by an error, if somebody else may have written it since. Raises
    NoBackup, RowsMissing, BackupKeysMissing, NoBackupLogIn, WrongDatabaseRole.
    """
    key = keys.newest(storage, tenant_id)
    header = Header(backup_id, tenant_id, key.id, derived.new_salt())
    name = place.archive(tenant_id, backup_id)
    with snapshot.of(tenant_id, instant) as seen, storage.writing(name) as file:
        passed = Measured(file)
        manifest = _write(ArchiveWriter(passed, header, key), header, seen)
    entry = Entry(
        backup=backup_id,
        tenant=tenant_id,
        slug=seen.origin.slug,
        reason=reason,
        taken_at=seen.origin.at,
        key=key.id,
        rows=manifest.rows,
        size=passed.size,
        sha256=passed.sha256,
    )
    check()
    _put_beside(storage, entry, key)
    return entry


def _write(writer: ArchiveWriter, header: Header, seen: Snapshot) -> Manifest:
    for head in seen.heads():
        with writer.table(head) as put:
            for block in seen.rows(head):
                put(block)
        written, counted = writer.facts[-1].rows, seen.count(head)
        if written != counted:
            raise RowsMissing(f"{head.name}: {written} rows written, {counted} counted.")
    facts = tuple(writer.facts)
    manifest = Manifest(header.backup, seen.origin, facts, seen.people(), LEFT_OUT)
    writer.finish(manifest)
    return manifest


def _put_beside(storage: Storage, entry: Entry, key: DataKey) -> None:
    with storage.writing(place.entry(entry.tenant, entry.backup)) as sink:
        sink.write(entry.signed(key))
