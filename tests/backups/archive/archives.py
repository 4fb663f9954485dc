"""Archives of a test's own, written to memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from io import BytesIO
from uuid import UUID, uuid4

from backups.archive import keys
from backups.archive.header import Header
from backups.archive.keys import DataKey
from backups.archive.manifest import Column, Manifest, Origin, Person, TableHead
from backups.archive.reading import ArchiveReader
from backups.archive.streams import Sink
from backups.archive.writing import ArchiveWriter

Tables = Sequence[tuple[TableHead, Sequence[bytes]]]


def a_key() -> DataKey:
    return DataKey(uuid4(), keys.new_secret())


def a_table(name: str = "trading_order") -> TableHead:
    return TableHead(name, (Column("id", "uuid"), Column("note", "text")))


@dataclass
class Made:
    """What an archive is made of; each has a key of its own unless it is told one."""

    tables: Tables
    key: DataKey = field(default_factory=a_key)
    tenant: UUID = field(default_factory=uuid4)
    backup: UUID = field(default_factory=uuid4)

    def write(self, sink: Sink) -> Manifest:
        header = Header(self.backup, self.tenant, self.key.id, keys.new_salt())
        writer = ArchiveWriter(sink, header, self.key)
        for head, pieces in self.tables:
            with writer.table(head) as put:
                for piece in pieces:
                    put(piece)
        people = (Person(uuid4(), "ölga@x.example", "owner"),)
        manifest = Manifest(
            self.backup, self._origin(), tuple(writer.facts), people, {"files": "no rows"}
        )
        writer.finish(manifest)
        return manifest

    def written(self) -> bytes:
        sink = BytesIO()
        self.write(sink)
        return sink.getvalue()

    def _origin(self) -> Origin:
        return Origin(
            tenant=self.tenant,
            slug="acme",
            name="Acme, “the” ☃",
            plan="pro",
            placement="shared",
            region="default",
            at=datetime(2026, 2, 3, 4, 5, 6, 789_012, tzinfo=UTC),
            lsn="0/1234ABC",
            system="7000000000000000000",
            server=180_004,
            migrations=(("audit", "0003"), ("trading", "0015")),
        )


def read(written: bytes, key: DataKey) -> tuple[list[tuple[TableHead, bytes]], Manifest]:
    """All there is in an archive. Raises ArchiveUnfit."""
    reader = ArchiveReader(BytesIO(written), lambda _: key)
    tables = [(head, b"".join(rows)) for head, rows in reader.tables()]
    return tables, reader.manifest
