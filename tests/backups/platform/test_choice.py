"""Which copy an instant is reached from, and which copies and WAL stay: tables."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backups.archive import signing
from backups.archive.errors import ArchiveAltered, NoArchive
from backups.archive.keys import DataKey
from backups.platform import base, retention, segments
from backups.platform.base import Base
from backups.platform.errors import BaseUnfit, InstantTooEarly, NoBase
from backups.platform.segments import Segment

SIZE = 16 * 1024 * 1024
NOW = datetime(2026, 11, 21, 10, 15, tzinfo=UTC)
KEY = DataKey(UUID(int=7), b"k" * 32)


def made(number: int, days_ago: float, parent: int | None = None) -> Base:
    """One that took an hour; its WAL begins at a segment with its number."""
    ended = NOW - timedelta(days=days_ago)
    return Base(
        id=UUID(int=number),
        parent=None if parent is None else UUID(int=parent),
        began_at=ended - timedelta(hours=1),
        ended_at=ended,
        start_lsn=f"0/{number * SIZE + 40:X}",
        segment_size=SIZE,
        system="7",
        server=180004,
        key=KEY.id,
        size=1,
        sha256="",
    )


# Two weeks: a full one, and what has changed since each time.
WEEKS = [
    made(1, 13),
    made(2, 12, parent=1),
    made(3, 10, parent=2),
    made(4, 6),
    made(5, 4, parent=4),
    made(6, 1, parent=5),
]


@pytest.mark.parametrize(
    ("days_ago", "chosen"), [(13, 1), (12.5, 1), (9.9, 3), (6, 4), (4, 5), (3.9, 5), (0, 6)]
)
def test_an_instant_is_reached_from_the_last_that_had_ended(days_ago: float, chosen: int) -> None:
    assert base.nearest(WEEKS, NOW - timedelta(days=days_ago)).id.int == chosen


def test_while_the_first_was_being_taken_no_instant_is_reached() -> None:
    at = WEEKS[0].ended_at - timedelta(microseconds=1)
    with pytest.raises(InstantTooEarly, match=WEEKS[0].ended_at.isoformat().replace("+", r"\+")):
        base.nearest(WEEKS, at)
    with pytest.raises(NoBase):
        base.nearest([], at)
    with pytest.raises(NoBase):
        base.newest([])


def test_a_chain_begins_with_the_full_one() -> None:
    chain = base.chain(reversed(WEEKS), WEEKS[5])
    assert [each.id.int for each in chain] == [4, 5, 6]
    with pytest.raises(BaseUnfit, match="is not there"):
        base.chain(WEEKS[4:], WEEKS[5])
    loop = [made(1, 2, parent=2), made(2, 1, parent=1)]
    with pytest.raises(BaseUnfit):
        base.chain(loop, loop[0])


@pytest.mark.parametrize(
    ("days", "stay", "first"),
    [
        (14, {1, 2, 3, 4, 5, 6}, 1),
        (9, {1, 2, 3, 4, 5, 6}, 1),  # from 3, which stands on 1 and 2
        (6, {4, 5, 6}, 4),
        (5, {4, 5, 6}, 4),
        (1, {4, 5, 6}, 4),  # 6 stands on 4 and 5
    ],
)
def test_what_leads_to_an_instant_that_is_kept_stays(days: int, stay: set[int], first: int) -> None:
    kept = retention.kept(WEEKS, days=days, now=NOW)
    assert {each.int for each in kept} == stay
    assert retention.first_segment(b for b in WEEKS if b.id in kept) == first


def test_the_newest_stays_however_old() -> None:
    assert retention.kept([made(1, 400)], days=1, now=NOW) == {UUID(int=1)}
    assert retention.kept([], days=1, now=NOW) == set()
    assert retention.first_segment([]) is None


@given(
    st.lists(st.tuples(st.floats(0, 40), st.booleans()), max_size=12),
    st.integers(1, 30),
    st.floats(0, 30),
)
def test_any_instant_that_is_kept_is_reached_after_pruning(
    drawn: list[tuple[float, bool]], days: int, back: float
) -> None:
    oldest_first = sorted(drawn, reverse=True)
    bases = [
        made(number, ago, parent=number - 1 if is_incremental and number > 1 else None)
        for number, (ago, is_incremental) in enumerate(oldest_first, start=1)
    ]
    at = NOW - timedelta(days=min(back, days))
    stay = retention.kept(bases, days=days, now=NOW)
    left = [each for each in bases if each.id in stay]
    try:
        wanted = base.nearest(bases, at)
    except (NoBase, InstantTooEarly):
        return
    chain = base.chain(left, base.nearest(left, at))
    assert chain[-1] == wanted
    assert (retention.first_segment(left) or 0) <= wanted.first_segment


@pytest.mark.parametrize(
    ("file", "size", "found"),
    [
        ("000000010000000000000002", SIZE, Segment(1, 2)),
        ("0000000200000001000000FF", SIZE, Segment(2, 511)),
        ("000000010000000100000003", 64 * 1024 * 1024, Segment(1, 67)),
    ],
)
def test_a_segment_is_known_by_its_name(file: str, size: int, found: Segment) -> None:
    assert segments.segment(file, size) == found
    assert segments.name(found, size) == file


def test_a_place_is_in_a_segment() -> None:
    assert segments.holding("0/2000028", SIZE) == 2
    assert segments.holding("1/FF000000", SIZE) == 511


@pytest.mark.parametrize(
    ("file", "is_named", "is_needed"),
    [
        ("000000010000000000000002", True, True),
        ("00000002.history", True, True),
        ("000000010000000000000002.00000028.backup", True, False),
        ("000000010000000000000002.partial", True, False),
        ("000000010000000000000002.part", False, False),
        ("keep", False, False),
    ],
)
def test_what_is_laid_down_is_told_apart(file: str, *, is_named: bool, is_needed: bool) -> None:
    assert segments.is_named(file) == is_named
    assert segments.is_needed(file) == is_needed


@pytest.mark.parametrize("of", [WEEKS[0], WEEKS[2]])
def test_what_stands_beside_a_copy_is_read_as_it_was_written(of: Base) -> None:
    written = of.signed(KEY)
    signing.check(written, KEY)
    assert Base.from_bytes(written) == of
    with pytest.raises(ArchiveAltered):
        signing.check(written.replace(b"180004", b"180005"), KEY)
    for broken in (b"", b"[]", b"{}", written.replace(b"start_lsn", b"began_lsn")):
        with pytest.raises(NoArchive):
            Base.from_bytes(broken)
