"""Archives in a folder: there as a whole, or not there."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

from backups.storage import place
from backups.storage.errors import NotStored, UnknownStorage
from backups.storage.folder import Folder
from tests.cast import now


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def put(folder: Folder, name: str, content: bytes = b"x") -> None:
    with folder.writing(name) as sink:
        sink.write(content)


def got(folder: Folder, name: str) -> bytes:
    with folder.reading(name) as source:
        return source.read(1_000)


def test_what_was_written_is_there_and_no_one_else_may_read_it(
    folder: Folder, tmp_path: Path
) -> None:
    put(folder, "a/b.json", b"content")
    assert got(folder, "a/b.json") == b"content"
    assert (tmp_path / "a/b.json").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o700


def test_nothing_is_there_before_the_end_or_after_an_error(folder: Folder, tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), folder.writing("a/b.json") as sink:
        sink.write(b"half")
        assert list(folder.names("")) == []
        raise RuntimeError
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
    with pytest.raises(NotStored):
        got(folder, "a/b.json")


def test_a_second_writing_takes_the_place_of_the_first_as_a_whole(folder: Folder) -> None:
    put(folder, "a/b.json", b"old")
    with folder.writing("a/b.json") as sink:
        sink.write(b"new")
        assert got(folder, "a/b.json") == b"old"
    assert got(folder, "a/b.json") == b"new"


def test_names_are_found_by_what_they_begin_with(folder: Folder) -> None:
    for name in ("b/x.json", "a/y.json", "a/keys/z.sealed"):
        put(folder, name)
    assert list(folder.names("")) == ["a/keys/z.sealed", "a/y.json", "b/x.json"]
    assert list(folder.names("a/keys/")) == ["a/keys/z.sealed"]


def test_removing_twice_is_no_error(folder: Folder) -> None:
    put(folder, "a/b.json")
    folder.remove("a/b.json")
    folder.remove("a/b.json")
    assert list(folder.names("")) == []


@pytest.mark.parametrize("name", ["", "/etc/passwd", "../a.json", "a/../b", "a//b", "a/.b", "A"])
def test_a_name_that_is_none_leads_nowhere(folder: Folder, name: str) -> None:
    with pytest.raises(ValueError, match="no name"), folder.writing(name):
        raise AssertionError


def test_what_a_kill_left_is_swept_once_it_is_old(folder: Folder, tmp_path: Path) -> None:
    put(folder, "a/b.json")
    left = tmp_path / "a" / "c.json.00.part"
    left.write_bytes(b"half")
    hour_ago = now() - timedelta(hours=1)
    assert folder.sweep(before=hour_ago) == 0
    os.utime(left, (0, 0))
    assert folder.sweep(before=hour_ago) == 1
    assert list(folder.names("")) == ["a/b.json"]


def test_the_storage_is_the_folder_that_settings_name(settings: Settings, tmp_path: Path) -> None:
    settings.BACKUP_STORAGE = f"file://{tmp_path}/there"
    put(place.chosen(), "a/b.json")  # type: ignore[arg-type]
    assert (tmp_path / "there/a/b.json").exists()
    for unknown in ("ftp://x/y", "file://host/y", "nowhere"):
        settings.BACKUP_STORAGE = unknown
        with pytest.raises(UnknownStorage):
            place.chosen()
