"""Whoever touches an archive is found out: nothing that was not written comes out of it."""

from __future__ import annotations

import random
from io import BytesIO

import pytest

from backups.archive.chunks import CHUNK
from backups.archive.errors import ArchiveAltered, ArchiveTorn, ArchiveUnfit
from backups.archive.keys import DataKey
from backups.archive.reading import verified
from tests.backups.archive.archives import Made, a_key, a_table

SEALED = CHUNK + 16


def refused(written: bytes, key: DataKey) -> type[ArchiveUnfit]:
    with pytest.raises(ArchiveUnfit) as refusal:
        verified(BytesIO(written), lambda _: key)
    return refusal.type


def long_one(key: DataKey | None = None) -> Made:
    """Of several chunks: what is drawn cannot be compressed."""
    rows = [f"{random.Random(n).getrandbits(8_000):x}\n".encode() for n in range(150)]
    return Made([(a_table(), rows)], key or a_key())


def parts(written: bytes) -> tuple[bytes, list[bytes]]:
    """The header, and the sealed chunks."""
    begins = written.index(b"}") + 1
    body = written[begins:]
    return written[:begins], [body[at : at + SEALED] for at in range(0, len(body), SEALED)]


def test_every_changed_bit_is_seen() -> None:
    made = Made([(a_table(), [b"1\ta\n2\tb\n"])])
    written = made.written()
    for at in range(len(written)):
        for bit in range(8):
            changed = bytearray(written)
            changed[at] ^= 1 << bit
            refused(bytes(changed), made.key)


def test_every_length_but_the_whole_is_seen() -> None:
    made = Made([(a_table(), [b"1\ta\n2\tb\n"])])
    written = made.written()
    for length in range(len(written)):
        refused(written[:length], made.key)
    assert refused(written + b"\0", made.key) is ArchiveAltered


def test_an_archive_cut_between_two_chunks_is_torn() -> None:
    made = long_one()
    header, chunks = parts(made.written())
    assert len(chunks) > 2
    for count in range(len(chunks)):
        assert refused(header + b"".join(chunks[:count]), made.key) is ArchiveTorn


def test_chunks_that_are_swapped_left_out_or_doubled_are_seen() -> None:
    made = long_one()
    header, (first, second, *rest) = parts(made.written())
    for order in (
        [second, first, *rest],
        [second, *rest],
        [first, *rest],
        [first, first, second, *rest],
        [first, second, second, *rest],
        [first, second, *rest, rest[-1]],
        rest,
    ):
        assert refused(header + b"".join(order), made.key) is ArchiveAltered


def test_a_chunk_of_another_archive_under_the_same_key_is_seen() -> None:
    made = long_one()
    other = long_one(made.key)
    other.tenant = made.tenant
    header, chunks = parts(made.written())
    _, others = parts(other.written())
    assert refused(header + b"".join([others[0], *chunks[1:]]), made.key) is ArchiveAltered
    assert refused(header + b"".join(others), made.key) is ArchiveAltered


def test_a_header_of_another_archive_opens_nothing() -> None:
    made, other = long_one(), long_one()
    other.key = made.key
    header, _ = parts(other.written())
    _, chunks = parts(made.written())
    assert refused(header + b"".join(chunks), made.key) is ArchiveAltered


def test_another_key_opens_nothing() -> None:
    made = Made([(a_table(), [b"1\ta\n"])])
    assert refused(made.written(), a_key()) is ArchiveAltered
