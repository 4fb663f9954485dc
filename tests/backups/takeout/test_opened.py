"""The zip of an export: given while the archive is read, and good for any program that unzips."""

from __future__ import annotations

import csv
import io
import json
import random
from zipfile import ZipFile

import pytest

from backups.archive.errors import ArchiveUnfit
from backups.archive.header import read_header
from backups.archive.keys import LentKey
from backups.takeout.opened import zipped
from tests.backups.archive.archives import Made, a_table
from tests.backups.archive.test_memory import MEBIBYTE, Handing, Passing
from tests.cast import now


def lent(made: Made, written: bytes) -> LentKey:
    return LentKey(made.key.of_archive(read_header(io.BytesIO(written))))


def test_little_is_held_and_what_is_given_follows_what_is_read() -> None:
    noise = random.Random(1).randbytes(MEBIBYTE // 8).hex().encode()
    made = Made([(a_table(), Passing(24 * MEBIBYTE, b"x\t" + noise + b"\n"))])
    written = made.written()
    source, given, ahead = Handing(written), 0, 0
    for block in zipped(source, lent(made, written), at=now()):
        given += len(block)
        ahead = max(ahead, source._at - given)
        assert len(block) < MEBIBYTE
    assert ahead < MEBIBYTE < given


def test_it_holds_the_tables_and_says_what_they_are() -> None:
    rows = [b"1\tone\n2\t\\N\n"], [b""]
    made = Made([(a_table("first"), rows[0]), (a_table("second"), rows[1])])
    written = made.written()
    blocks = b"".join(zipped(io.BytesIO(written), lent(made, written), at=now()))
    with ZipFile(io.BytesIO(blocks)) as file:
        assert file.testzip() is None
        assert file.namelist() == ["first.csv", "second.csv", "manifest.json"]
        first = list(csv.reader(io.StringIO(file.read("first.csv").decode(), newline="")))
        told = json.loads(file.read("manifest.json"))
    assert first == [["id", "note"], ["1", "one"], ["2", ""]]
    assert [(table["name"], table["rows"]) for table in told["tables"]] == [
        ("first", 2),
        ("second", 0),
    ]
    assert told["tenant"]["name"] == "Acme, “the” ☃"
    assert set(told["left_out"]) == {"files", "columns of bytes"}


def test_an_archive_that_ends_early_gives_no_end_either() -> None:
    noise = random.Random(1).randbytes(1_000).hex().encode()
    made = Made([(a_table(), Passing(MEBIBYTE, b"1\t" + noise + b"\n")), (a_table("b"), [noise])])
    written = made.written()
    with pytest.raises(ArchiveUnfit):
        list(zipped(io.BytesIO(written[:-1]), lent(made, written), at=now()))
