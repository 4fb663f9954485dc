"""An archive for people and their programs to read: a zip of CSV and a manifest, as it is read.

Nothing of it is kept anywhere: rows are opened, written as CSV, compressed and gone.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime
from hashlib import sha256
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from backups.archive.keys import LentKey
from backups.archive.manifest import Manifest, TableHead
from backups.archive.reading import ArchiveReader
from backups.archive.streams import Source
from backups.takeout import rows

FORMAT = "bulkhead export 1"
MANIFEST = "manifest.json"
_BYTES_LEFT_OUT = "sealed secrets and digests are no use elsewhere, and nobody's to know"
_TEXTS = "an apostrophe stands before text that a spreadsheet would calculate"


def zipped(source: Source, key: LentKey, *, at: datetime) -> Iterator[bytes]:
    """The whole file; `at` is what its members are dated. Raises ArchiveUnfit, also at its end."""
    reader = ArchiveReader(source, lambda _: key)
    outbox = _Outbox()
    with ZipFile(outbox, "w") as file:  # type: ignore[call-overload]  # it need not be able to read
        told = []
        for head, blocks in reader.tables():
            digest, count = sha256(), 0
            with file.open(_member(f"{head.name}.csv", at), "w", force_zip64=True) as member:
                for piece in rows.written(head, blocks):
                    digest.update(piece)
                    count += len(piece)
                    member.write(piece)
                    yield from outbox.taken()
            told.append({"file": f"{head.name}.csv", "size": count, "sha256": digest.hexdigest()})
        content = _manifest(reader.manifest, told)
        file.writestr(_member(MANIFEST, at), json.dumps(content, indent=1, ensure_ascii=False))
    yield from outbox.taken()


def _manifest(archived: Manifest, files: list[dict[str, Any]]) -> dict[str, Any]:
    origin = archived.origin
    tables = [
        {
            "name": facts.name,
            "rows": facts.rows,
            **file,
            "columns": [asdict(column) for column in rows.columns(_head(facts))],
        }
        for facts, file in zip(archived.tables, files, strict=True)
    ]
    return {
        "format": FORMAT,
        "backup": str(archived.backup),
        "taken_at": origin.at.isoformat(),
        "tenant": {
            "id": str(origin.tenant),
            "slug": origin.slug,
            "name": origin.name,
            "plan": origin.plan,
        },
        "tables": tables,
        "people": [
            {"id": str(person.id), "email": person.email, "role": person.role}
            for person in archived.people
        ],
        "texts": _TEXTS,
        "left_out": {**archived.left_out, "columns of bytes": _BYTES_LEFT_OUT},
    }


def _head(facts: Any) -> TableHead:
    return TableHead(facts.name, facts.columns)


def _member(name: str, at: datetime) -> ZipInfo:
    info = ZipInfo(name, date_time=at.timetuple()[:6])
    info.compress_type = ZIP_DEFLATED
    info.external_attr = 0o600 << 16
    return info


class _Outbox:
    """Takes what the zip writes, until it is taken on; it cannot seek, and so nothing is held."""

    def __init__(self) -> None:
        self._waiting = bytearray()

    def write(self, data: bytes, /) -> int:
        self._waiting += data
        return len(data)

    def flush(self) -> None:
        """It goes when it is taken."""

    def taken(self) -> Iterator[bytes]:
        if self._waiting:
            yield bytes(self._waiting)
            self._waiting.clear()
