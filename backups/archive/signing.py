"""What stands in the clear beside what is sealed, and who has said it. Pure."""

from __future__ import annotations

import hmac
import json
from datetime import datetime
from typing import Any
from uuid import UUID

from backups.archive.errors import ArchiveAltered, NoArchive
from backups.archive.keys import DataKey

_SIGNATURE = "signature"


def signed(said: dict[str, Any], key: DataKey) -> bytes:
    """As a file of JSON; ids and moments as text."""
    plain = {name: _plain(value) for name, value in said.items()}
    signature = key.sign(_canonical(plain)).hex()
    return json.dumps({**plain, _SIGNATURE: signature}, indent=1).encode()


def check(written: bytes, key: DataKey) -> None:
    """That this key signed it. Raises ArchiveAltered, NoArchive."""
    said = parsed(written)
    signature = str(said.pop(_SIGNATURE, ""))
    if not hmac.compare_digest(signature.encode(), key.sign(_canonical(said)).hex().encode()):
        raise ArchiveAltered("What stands beside it was changed.")


def parsed(written: bytes) -> dict[str, Any]:
    """Believed only once `check` has passed. Raises NoArchive."""
    try:
        said = json.loads(written)
    except ValueError as fault:
        raise NoArchive from fault
    if not isinstance(said, dict):
        raise NoArchive
    return said


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value) if isinstance(value, UUID) else value


def _canonical(said: dict[str, Any]) -> bytes:
    return json.dumps(said, sort_keys=True, separators=(",", ":")).encode()
