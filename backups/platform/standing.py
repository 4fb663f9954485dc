"""How the whole server stands with its copies and its WAL: who may see it looks, others read that.

The web may ask neither the server nor, each time somebody measures, the storage. A worker of the
queue `backups` looks once a minute, and writes down in Valkey what it saw.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.utils import timezone

from backups.platform import base, bases, server, wal
from backups.platform.server import Waiting
from backups.storage import place
from tenants import valkey
from tenants.identifiers import made_at

_KEY = "standing-of-the-server"
_COPY, _UNFIT, _WAL = "copy", "unfit", "wal"


@dataclass(frozen=True, slots=True)
class Standing:
    """As of when somebody last looked. `waiting` is WAL that is not in the storage, by where it
    is: with the `server`, or laid down in the `spool`."""

    looked_at: datetime
    copied_at: datetime | None  # when the newest copy that is whole was begun
    unfit: Mapping[str, str]  # entries of copies that cannot be read, by name: the codes
    archived_at: datetime | None  # when the server last handed WAL over
    waiting: Mapping[str, Waiting]

    @property
    def files(self) -> int:
        """How many wait, wherever."""
        return sum(each.files for each in self.waiting.values())


def look() -> None:
    """Write down how it stands now; nothing where the server is somebody else's, who copies it.

    What the server says first: it is known too where the storage is away. Raises NoBackupLogIn,
    BackupKeysMissing, ValkeyAway, and what the storage raises.
    """
    if not settings.WAL_SPOOL:
        return
    archiver = server.archiver()
    waiting = {"server": asdict(archiver.waiting), "spool": asdict(wal.waiting())}
    found = {"at": timezone.now(), "archived_at": archiver.archived_at, "waiting": waiting}
    _note(_WAL, json.dumps(found, default=str))
    known = bases.stored(place.chosen())
    copied_at = max((made_at(each.id) for each in base.whole(known.bases)), default=None)
    _note(_COPY, copied_at.isoformat() if copied_at else "")
    _note(_UNFIT, json.dumps(known.unfit))


def seen() -> Standing | None:
    """None where nobody has looked. Raises ValkeyAway."""
    with valkey.needed() as client:
        told: Any = client.hgetall(_KEY)
    if _WAL.encode() not in told:
        return None
    found, copied_at = json.loads(told[_WAL.encode()]), told.get(_COPY.encode(), b"").decode()
    return Standing(
        looked_at=datetime.fromisoformat(found["at"]),
        copied_at=_moment(copied_at),
        unfit=json.loads(told.get(_UNFIT.encode(), b"{}")),
        archived_at=_moment(found["archived_at"]),
        waiting={where: Waiting(**each) for where, each in found["waiting"].items()},
    )


def _note(what: str, said: str) -> None:
    with valkey.needed() as client:
        client.hset(_KEY, what, said)


def _moment(said: str | None) -> datetime | None:
    return datetime.fromisoformat(said).astimezone(UTC) if said else None
