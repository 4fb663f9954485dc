"""What every storage does alike: there as a whole, or not there."""

from __future__ import annotations

import random
from datetime import timedelta
from itertools import pairwise

import pytest

from backups.archive.streams import read_up_to
from backups.storage import s3
from backups.storage.errors import NotStored
from backups.storage.interface import Storage
from tests.cast import now

SMALLEST_PART = 5 * 1024 * 1024  # that S3 takes, but for the last


def put(kept: Storage, name: str, *pieces: bytes) -> None:
    with kept.writing(name) as sink:
        for piece in pieces or (b"x",):
            sink.write(piece)


def got(kept: Storage, name: str, size: int = 1_000) -> bytes:
    with kept.reading(name) as source:
        return read_up_to(source, size)


def test_what_was_written_is_there(kept: Storage) -> None:
    put(kept, "a/b.json", b"con", b"tent")
    assert got(kept, "a/b.json") == b"content"
    put(kept, "a/empty.json", b"")
    assert got(kept, "a/empty.json") == b""


@pytest.mark.parametrize("more", [-1, 0, 1])
def test_so_is_what_takes_several_parts(
    kept: Storage, monkeypatch: pytest.MonkeyPatch, more: int
) -> None:
    monkeypatch.setattr(s3, "PART", SMALLEST_PART)
    content = random.Random(1).randbytes(2 * SMALLEST_PART + more)
    ends = [0, 1, SMALLEST_PART + 7, len(content)]
    put(kept, "a/b.bulkhead", *(content[a:b] for a, b in pairwise(ends)))
    assert got(kept, "a/b.bulkhead", len(content) + 1) == content
    with kept.reading("a/b.bulkhead") as source:
        assert read_up_to(source, 10) + read_up_to(source, 10) == content[:20]


@pytest.mark.parametrize("size", [4, SMALLEST_PART + 1])
def test_nothing_is_there_before_the_end_or_after_an_error(
    kept: Storage, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    monkeypatch.setattr(s3, "PART", SMALLEST_PART)
    with pytest.raises(RuntimeError), kept.writing("a/b.json") as sink:
        sink.write(b"x" * size)
        assert list(kept.names("")) == []
        raise RuntimeError
    assert list(kept.names("")) == []
    with pytest.raises(NotStored):
        got(kept, "a/b.json")
    assert kept.sweep(before=now() + timedelta(hours=1)) == 0


@pytest.mark.parametrize("start", [1, SMALLEST_PART - 1, SMALLEST_PART, 2 * SMALLEST_PART])
def test_it_is_read_from_any_byte_on(
    kept: Storage, monkeypatch: pytest.MonkeyPatch, start: int
) -> None:
    monkeypatch.setattr(s3, "PART", SMALLEST_PART)
    content = random.Random(1).randbytes(2 * SMALLEST_PART + 1)
    put(kept, "a/b.bulkhead", content)
    with kept.reading("a/b.bulkhead", start=start) as source:
        assert read_up_to(source, len(content)) == content[start:]


@pytest.mark.parametrize("start", [3, 4])
def test_where_there_is_no_such_byte_there_is_nothing(kept: Storage, start: int) -> None:
    put(kept, "a/b.json", b"xyz")
    with pytest.raises(NotStored), kept.reading("a/b.json", start=start):
        raise AssertionError


def test_a_second_writing_takes_the_place_of_the_first_as_a_whole(kept: Storage) -> None:
    put(kept, "a/b.json", b"old")
    with kept.writing("a/b.json") as sink:
        sink.write(b"new")
        assert got(kept, "a/b.json") == b"old"
    assert got(kept, "a/b.json") == b"new"


def test_names_are_found_by_what_they_begin_with(kept: Storage) -> None:
    for name in ("b/x.json", "a/y.json", "a/keys/z.sealed"):
        put(kept, name)
    assert list(kept.names("")) == ["a/keys/z.sealed", "a/y.json", "b/x.json"]
    assert list(kept.names("a/keys/")) == ["a/keys/z.sealed"]
    assert list(kept.names("c/")) == []


def test_removing_twice_is_no_error(kept: Storage) -> None:
    put(kept, "a/b.json")
    kept.remove("a/b.json")
    kept.remove("a/b.json")
    assert list(kept.names("")) == []


@pytest.mark.parametrize("name", ["", "/etc/passwd", "../a.json", "a/../b", "a//b", "a/.b", "A"])
def test_a_name_that_is_none_leads_nowhere(kept: Storage, name: str) -> None:
    with pytest.raises(ValueError, match="no name"), kept.writing(name):
        raise AssertionError
    with pytest.raises(ValueError, match="no name"), kept.reading(name):
        raise AssertionError


def test_what_is_finished_is_never_swept(kept: Storage) -> None:
    put(kept, "a/b.json")
    assert kept.sweep(before=now() + timedelta(hours=1)) == 0
    assert list(kept.names("")) == ["a/b.json"]
