"""What PostgreSQL says of the files of a base backup, and whether they are so.

`pg_verifybackup` of the embedded build crashes; what it does about files is this much.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backups.platform.errors import BaseUnfit

NAME = "backup_manifest"
_CHECKSUM = b'"Manifest-Checksum"'


@dataclass(frozen=True, slots=True)
class Manifest:
    """Files by their path, with size and SHA-256; and where the WAL begins that makes them one
    state."""

    files: dict[str, tuple[int, str]]
    start_lsn: str


def parsed(written: bytes) -> Manifest:
    """Believed by its own checksum. Raises BaseUnfit."""
    try:
        said = json.loads(written)
        head, mark, _ = written.rpartition(_CHECKSUM)
        if not mark or hashlib.sha256(head).hexdigest() != said["Manifest-Checksum"]:
            raise BaseUnfit("Its manifest was changed.")
        return Manifest(
            files={_path(each): _facts(each) for each in said["Files"]},
            start_lsn=str(said["WAL-Ranges"][0]["Start-LSN"]),
        )
    except (ValueError, LookupError, TypeError) as fault:
        raise BaseUnfit("Its manifest is none.") from fault


def check(folder: Path) -> Manifest:
    """That the files of a folder are those that its manifest names. Raises BaseUnfit."""
    try:
        manifest = parsed((folder / NAME).read_bytes())
    except FileNotFoundError as fault:
        raise BaseUnfit("It has no manifest.") from fault
    found = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()} - {NAME}
    if found != set(manifest.files):
        differing = sorted(found ^ set(manifest.files))
        raise BaseUnfit(f"Files that are missing, or that nobody named: {differing[:3]}.")
    for path, facts in manifest.files.items():
        if _measured(folder / path) != facts:
            raise BaseUnfit(f"{path} is not as it was copied.")
    return manifest


def _measured(path: Path) -> tuple[int, str]:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        return file.tell(), digest


def _path(said: dict[str, Any]) -> str:
    return said["Path"] if "Path" in said else bytes.fromhex(said["Encoded-Path"]).decode()


def _facts(said: dict[str, Any]) -> tuple[int, str]:
    if said["Checksum-Algorithm"] != "SHA256":
        raise BaseUnfit("Its manifest does not say what its files are.")
    return int(said["Size"]), str(said["Checksum"])
