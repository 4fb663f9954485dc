"""Archives in a folder: private, and nothing of a kill stays for long."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from unittest import mock

import pytest
from pytest_django.fixtures import Settings

from backups.storage import place
from backups.storage.errors import UnknownStorage
from backups.storage.folder import Folder
from tests.backups.storage.test_contract import put
from tests.cast import now


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def test_no_one_else_may_read_it(folder: Folder, tmp_path: Path) -> None:
    put(folder, "a/b.json", b"content")
    assert (tmp_path / "a/b.json").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o700


def test_no_file_is_left_after_an_error(folder: Folder, tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), folder.writing("a/b.json") as sink:
        sink.write(b"half")
        raise RuntimeError
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_what_a_kill_left_is_swept_once_it_is_old(folder: Folder, tmp_path: Path) -> None:
    put(folder, "a/b.json")
    left = tmp_path / "a" / "c.json.00.part"
    left.write_bytes(b"half")
    hour_ago = now() - timedelta(hours=1)
    assert folder.sweep(before=hour_ago) == 0
    os.utime(left, (0, 0))
    assert folder.sweep(before=hour_ago) == 1
    assert list(folder.names("")) == ["a/b.json"]


def test_what_is_finished_while_it_is_swept_is_no_error(folder: Folder, tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    for name in ("gone", "left"):
        (tmp_path / "a" / f"{name}.json.00.part").write_bytes(b"half")
    found = Path.rglob

    def meanwhile(root: Path, pattern: str) -> Iterator[Path]:
        paths = sorted(found(root, pattern))
        paths[0].rename(tmp_path / "a" / "gone.json")
        yield from paths

    with mock.patch.object(Path, "rglob", meanwhile):
        assert folder.sweep(before=now() + timedelta(hours=1)) == 1
    assert list(folder.names("")) == ["a/gone.json"]


def test_the_storage_is_the_folder_that_settings_name(settings: Settings, tmp_path: Path) -> None:
    settings.BACKUP_STORAGE = f"file://{tmp_path}/there"
    put(place.chosen(), "a/b.json")
    assert (tmp_path / "there/a/b.json").exists()
    for unknown in ("ftp://x/y", "file://host/y", "nowhere", "s3:///no-bucket", "s3://b?what=1"):
        settings.BACKUP_STORAGE = unknown
        with pytest.raises(UnknownStorage):
            place.chosen()
