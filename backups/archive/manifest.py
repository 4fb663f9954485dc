"""What an archive says of itself; it stands at the end, when all is known. Pure."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from backups.archive.errors import NoArchive


@dataclass(frozen=True, slots=True)
class Column:
    """By its name and its type, as PostgreSQL writes it."""

    name: str
    type: str


@dataclass(frozen=True, slots=True)
class TableHead:
    """What stands before a table's rows: the rows have a value for each column, in this order."""

    name: str
    columns: tuple[Column, ...]

    def to_bytes(self) -> bytes:
        return json.dumps(asdict(self)).encode()

    @classmethod
    def of(cls, content: Any) -> TableHead:
        return cls(str(content["name"]), tuple(Column(**each) for each in content["columns"]))


@dataclass(frozen=True, slots=True)
class TableFacts:
    """Of a table's rows as COPY writes them, in the order of their ids."""

    name: str
    columns: tuple[Column, ...]
    rows: int
    size: int  # bytes
    sha256: str  # hex

    @classmethod
    def of(cls, content: Any) -> TableFacts:
        head = TableHead.of(content)
        return cls(
            head.name, head.columns, content["rows"], content["size"], str(content["sha256"])
        )


class Measure:
    """Counts and digests a table's rows on their way.

    A row ends with a line feed, and COPY writes none inside a value: those it writes as `\\n`.
    """

    def __init__(self, head: TableHead) -> None:
        self._head, self._digest = head, hashlib.sha256()
        self._rows = self._size = 0

    def add(self, block: bytes) -> None:
        self._digest.update(block)
        self._rows += block.count(b"\n")
        self._size += len(block)

    @property
    def facts(self) -> TableFacts:
        head, sha256 = self._head, self._digest.hexdigest()
        return TableFacts(head.name, head.columns, self._rows, self._size, sha256)


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody whom rows name, or a member: never a password, a second factor or staff's rights."""

    id: UUID
    email: str
    role: str  # in the tenant; "" for who was no member


@dataclass(frozen=True, slots=True)
class Origin:
    """The tenant as it was, and the moment and place that its rows are of."""

    tenant: UUID
    slug: str
    name: str
    plan: str
    placement: str
    region: str
    at: datetime
    lsn: str
    system: str  # PostgreSQL's system identifier
    server: int  # its version, as in 180004
    migrations: tuple[tuple[str, str], ...]  # the newest of each app

    @classmethod
    def of(cls, content: Any) -> Origin:
        given = {
            **content,
            "tenant": UUID(content["tenant"]),
            "at": datetime.fromisoformat(content["at"]),
            "migrations": tuple((app, name) for app, name in content["migrations"]),
        }
        return cls(**given)


@dataclass(frozen=True, slots=True)
class Manifest:
    backup: UUID
    origin: Origin
    tables: tuple[TableFacts, ...]
    people: tuple[Person, ...]
    left_out: dict[str, str]  # what is not in the archive, and why

    @property
    def rows(self) -> int:
        return sum(table.rows for table in self.tables)

    @property
    def emails(self) -> dict[UUID, str]:
        return {person.id: person.email for person in self.people}

    def to_bytes(self) -> bytes:
        return json.dumps(asdict(self), default=_plain).encode()

    @classmethod
    def from_bytes(cls, written: bytes) -> Manifest:
        """Raises NoArchive."""
        try:
            content = json.loads(written)
            return cls(
                backup=UUID(content["backup"]),
                origin=Origin.of(content["origin"]),
                tables=tuple(TableFacts.of(each) for each in content["tables"]),
                people=tuple(
                    Person(UUID(each["id"]), each["email"], each["role"])
                    for each in content["people"]
                ),
                left_out=dict(content["left_out"]),
            )
        except (ValueError, LookupError, TypeError, AttributeError) as fault:
            raise NoArchive("Its manifest says too little.") from fault


def _plain(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
