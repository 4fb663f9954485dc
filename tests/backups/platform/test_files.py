"""What a copy is made of: a tar that passes, files that are checked, and what is sealed."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest_django.fixtures import Settings

from backups.archive.errors import ArchiveUnfit, ForeignArchive
from backups.errors import BackupKeysMissing, WrongBackupKey
from backups.platform import belongings, manifest, sealed, unpacking
from backups.platform.errors import BaseUnfit
from backups.platform.passing_tar import Catch
from backups.storage import place
from backups.storage.interface import Storage

NAME = place.wal("000000010000000000000002")


def tar(files: dict[str, bytes]) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w", format=tarfile.USTAR_FORMAT) as file:
        for name, content in files.items():
            about = tarfile.TarInfo(name)
            about.size = len(content)
            file.addfile(about, io.BytesIO(content))
    return made.getvalue()


@given(
    st.lists(st.binary(max_size=2_000), max_size=6),
    st.binary(max_size=2_000),
    st.lists(st.integers(1, 3_000), min_size=1),
)
def test_one_file_is_caught_however_the_tar_comes(
    others: list[bytes], wanted: bytes, pieces: list[int]
) -> None:
    files = {f"base/{number}": content for number, content in enumerate(others)}
    passing = tar({**files, "wanted": wanted, "wanted.not": b"x"})
    catch = Catch("wanted")
    while passing:
        size = pieces.pop(0) if pieces else 512
        catch.add(passing[:size])
        passing = passing[size:]
    assert bytes(catch.content) == wanted


def test_a_tar_lays_nothing_outside_its_folder(tmp_path: Path) -> None:
    inside = tmp_path / "inside"
    inside.mkdir()
    for name in ("../outside", str(tmp_path / "outside"), "a/../../outside"):
        with pytest.raises(BaseUnfit):
            unpacking.extract(io.BytesIO(tar({name: b"x"})), inside)
    assert not (tmp_path / "outside").exists()
    unpacking.extract(io.BytesIO(tar({"a/b": b"x"})), inside)
    assert (inside / "a" / "b").read_bytes() == b"x"


def laid_out(folder: Path) -> Path:
    """Two files, and what is said of them."""
    files = {"PG_VERSION": b"18\n", "base/1/1255": b"\0" * 8192}
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    said: dict[str, Any] = {
        "PostgreSQL-Backup-Manifest-Version": 2,
        "System-Identifier": 7,
        "Files": [
            {
                "Path": name,
                "Size": len(content),
                "Checksum-Algorithm": "SHA256",
                "Checksum": hashlib.sha256(content).hexdigest(),
            }
            for name, content in files.items()
        ],
        "WAL-Ranges": [{"Timeline": 1, "Start-LSN": "0/2000028", "End-LSN": "0/2000120"}],
    }
    head = json.dumps(said)[:-1].encode() + b",\n"
    digest = hashlib.sha256(head).hexdigest()
    (folder / manifest.NAME).write_bytes(head + f'"Manifest-Checksum": "{digest}"}}\n'.encode())
    return folder


def test_files_that_are_as_the_server_said_are_taken(tmp_path: Path) -> None:
    assert manifest.check(laid_out(tmp_path)).start_lsn == "0/2000028"


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda folder: flip(folder / "base/1/1255"),
        lambda folder: (folder / "base/1/1255").unlink(),
        lambda folder: (folder / "base/1/1255").write_bytes(b""),
        lambda folder: (folder / "base/1/more").touch(),
        lambda folder: flip(folder / manifest.NAME),
        lambda folder: (folder / manifest.NAME).unlink(),
        lambda folder: (folder / manifest.NAME).write_bytes(b"{}"),
    ],
)
def test_files_that_are_not_are_refused(tmp_path: Path, spoil: Any) -> None:
    spoil(laid_out(tmp_path))
    with pytest.raises(BaseUnfit):
        manifest.check(tmp_path)


@pytest.mark.parametrize("content", [b"", b"x", b"\0" * 300_000, bytes(range(256)) * 1_000])
def test_what_is_sealed_comes_back(storage: Storage, content: bytes) -> None:
    with sealed.writing(storage, NAME) as sink:
        sink.write(content)
    assert sealed.content(storage, NAME) == content


def put(storage: Storage, content: bytes) -> bytes:
    """Sealed; gives it as it lies in the storage."""
    with sealed.writing(storage, NAME) as sink:
        sink.write(content)
    with storage.reading(NAME) as source:
        return source.read(1_000_000)


def lay(storage: Storage, name: str, written: bytes) -> None:
    with storage.writing(name) as sink:
        sink.write(written)


@pytest.mark.parametrize("at", [0.0, 0.001, 0.3, 0.6, 0.999])
def test_a_flipped_bit_opens_nothing(storage: Storage, at: float) -> None:
    written = bytearray(put(storage, bytes(hashlib.shake_256(b"x").digest(200_000))))
    written[int(len(written) * at)] ^= 1
    lay(storage, NAME, bytes(written))
    with pytest.raises((ArchiveUnfit, WrongBackupKey)):
        sealed.content(storage, NAME)


@pytest.mark.parametrize("left", [0, 10, 100, 70_000, -1])
def test_a_torn_one_opens_nothing(storage: Storage, left: int) -> None:
    written = put(storage, bytes(hashlib.shake_256(b"x").digest(200_000)))
    lay(storage, NAME, written[:left])
    with pytest.raises(ArchiveUnfit, match=NAME):
        sealed.content(storage, NAME)


def test_one_in_the_place_of_another_is_refused(storage: Storage) -> None:
    written = put(storage, b"x")
    other = place.wal("000000010000000000000003")
    lay(storage, other, written)
    with pytest.raises(ForeignArchive, match=other):
        sealed.content(storage, other)


def test_who_stops_before_the_end_has_it_checked_all_the_same(storage: Storage) -> None:
    written = bytearray(put(storage, bytes(hashlib.shake_256(b"x").digest(200_000))))
    written[-1] ^= 1
    lay(storage, NAME, bytes(written))
    with pytest.raises(ArchiveUnfit), sealed.reading(storage, NAME) as source:
        assert source.read(10)


def test_another_master_key_opens_nothing_and_none_seals_nothing(
    storage: Storage, settings: Settings
) -> None:
    put(storage, b"x")
    settings.BACKUP_KEYS = ["33" * 32]
    with pytest.raises(WrongBackupKey):
        sealed.content(storage, NAME)
    settings.BACKUP_KEYS = []
    with pytest.raises(BackupKeysMissing):
        put(storage, b"x")


def test_what_comes_back_has_the_master_keys_that_opened_it(
    tmp_path: Path, settings: Settings
) -> None:
    """Not those of the day of the copy."""
    lost, empty, room = (tmp_path / name for name in ("lost", "empty", "room"))
    for folder in (lost, empty, room):
        folder.mkdir()
    secrets = {"SECRET_KEY": "s", "BACKUP_KEYS": "11" * 32}
    (lost / "secrets.json").write_text(json.dumps(secrets))
    settings.BULKHEAD_DATA_DIR, packed = lost, io.BytesIO()
    belongings.pack(packed)
    settings.BACKUP_KEYS = ["22" * 32, "11" * 32]
    belongings.unpack(io.BytesIO(packed.getvalue()), room, empty)
    found = json.loads((empty / "secrets.json").read_text())
    assert found == {**secrets, "BACKUP_KEYS": ",".join(settings.BACKUP_KEYS)}
    assert (empty / "secrets.json").stat().st_mode & 0o077 == 0
