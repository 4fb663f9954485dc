"""What goes into an archive comes out of it, whatever it is and however it is handed over."""

from __future__ import annotations

import json
from dataclasses import replace
from io import BytesIO
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backups.archive import records
from backups.archive.chunks import CHUNK, Opener, Sealer
from backups.archive.entry import Entry, check
from backups.archive.errors import ArchiveUnfit, NoArchive, UnknownFormat
from backups.archive.header import Header, read_header
from backups.archive.manifest import Column, Manifest, TableHead
from backups.archive.reading import ArchiveReader, verified
from tests.backups.archive.archives import Made, a_key, a_table, read
from tests.cast import now

NAMES = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=20)
HEADS = st.builds(
    TableHead,
    NAMES,
    st.lists(st.builds(Column, NAMES, st.just("text")), max_size=4).map(tuple),
)
TABLES = st.lists(st.tuples(HEADS, st.lists(st.binary(max_size=300), max_size=6)), max_size=5)


class Dribble:
    """A network on a bad day: it gives fewer bytes than it is asked for."""

    def __init__(self, content: bytes, at_a_time: int) -> None:
        self._content, self._at_a_time = BytesIO(content), at_a_time

    def read(self, size: int, /) -> bytes:
        return self._content.read(min(size, self._at_a_time))


@given(TABLES)
def test_tables_come_back_as_they_were(tables: list[tuple[TableHead, list[bytes]]]) -> None:
    made = Made(tables)
    sink = BytesIO()
    manifest = made.write(sink)
    found, said = read(sink.getvalue(), made.key)
    assert found == [(head, b"".join(pieces)) for head, pieces in tables]
    assert said == manifest
    assert [facts.rows for facts in said.tables] == [
        b"".join(pieces).count(b"\n") for _, pieces in tables
    ]


@pytest.mark.parametrize("at_a_time", [1, 7, 65_536])
def test_a_source_may_give_less_than_it_is_asked_for(at_a_time: int) -> None:
    made = Made([(a_table(), [b"x\ty\n" * 50_000])])
    source = Dribble(made.written(), at_a_time)
    assert verified(source, lambda _: made.key).rows == 50_000


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK, 3 * CHUNK + 5])
def test_chunks_of_every_size_come_back(size: int) -> None:
    key, content, sink = a_key().secret, bytes(range(256)) * (size // 256 + 1), BytesIO()
    sealer = Sealer(sink, key)
    sealer.write(content[:size])
    sealer.close()
    opener = Opener(BytesIO(sink.getvalue()), key)
    found = b""
    while piece := opener.read(10_000):
        found += piece
    assert found == content[:size]


def test_rows_that_nobody_asks_for_are_read_all_the_same() -> None:
    made = Made([(a_table("a"), [b"1\n" * 100_000]), (a_table("b"), [b"2\n"])])
    reader = ArchiveReader(BytesIO(made.written()), lambda _: made.key)
    assert [head.name for head, _ in reader.tables()] == ["a", "b"]
    assert reader.manifest.rows == 100_001


def test_a_manifest_is_not_given_before_the_end() -> None:
    made = Made([(a_table(), [b"1\n"])])
    reader = ArchiveReader(BytesIO(made.written()), lambda _: made.key)
    with pytest.raises(ArchiveUnfit, match="to its end"):
        _ = reader.manifest


def test_nothing_of_the_rows_or_people_can_be_seen_in_it() -> None:
    canary = b"canary-of-acme"
    made = Made([(a_table(canary.decode()), [canary + b"\n"])])
    written = made.written()
    for secret in (canary, "ölga".encode(), b"acme", made.key.secret, b"trading"):
        assert secret not in written


def test_no_two_archives_of_the_same_rows_look_alike() -> None:
    made = Made([(a_table(), [b"1\n"])])
    first, second = made.written(), made.written()
    assert first[-64:] != second[-64:]


def test_a_header_comes_back_and_one_of_another_format_is_named() -> None:
    header = Header(uuid4(), uuid4(), uuid4(), "ab" * 32)
    assert read_header(BytesIO(header.to_bytes())) == header
    later = header.to_bytes().replace(b'"format": 1', b'"format": 2')
    with pytest.raises(UnknownFormat):
        read_header(BytesIO(later))


@pytest.mark.parametrize(
    "content", [b"", b"PK\x03\x04" * 99, b"bulkhead archive\n\xff\xff\xff\xff"]
)
def test_another_file_is_no_archive(content: bytes) -> None:
    with pytest.raises(NoArchive):
        read_header(BytesIO(content))


@pytest.mark.parametrize("content", [b"[]", b"{}", b"no", b'{"backup": 1}'])
def test_a_manifest_that_says_too_little_is_none(content: bytes) -> None:
    with pytest.raises(NoArchive):
        Manifest.from_bytes(content)


def test_a_record_of_no_kind_and_one_too_long_are_refused() -> None:
    for content in (b"X\0\0\0\0", b"D\xff\xff\xff\xff"):
        with pytest.raises(NoArchive):
            records.read(BytesIO(content))


def test_an_entry_comes_back_and_its_signature_holds() -> None:
    key = a_key()
    entry = Entry(uuid4(), uuid4(), "acme", "nightly", now(), key.id, 3, 99, "ab" * 32)
    written = entry.signed(key)
    check(written, key)
    assert Entry.from_bytes(written) == entry
    changed = replace(entry, rows=4)
    said = {**json.loads(changed.signed(a_key())), "signature": json.loads(written)["signature"]}
    for forged in (json.dumps(said).encode(), changed.signed(a_key())):
        with pytest.raises(ArchiveUnfit, match="was changed"):
            check(forged, key)
